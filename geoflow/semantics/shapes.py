"""The shape of every operation on arrays: NumPy's rules, one function each, gathered in `RULES`.

A rule takes the shapes of the arguments and the options (already exact numbers, as written by the
user where they are axes) and returns the shape of the result, or raises `Misfit` saying which rule
is broken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from geoflow.expr.tree import Shape

MOST_AXES = 32
Options = Mapping[str, Any]
Rule = Callable[[Sequence[Shape], Options], Shape]


class Misfit(Exception):
    """Shapes that do not fit: a diagnostic code and the reason, a phrase such as "inner sizes 3 and
    4 differ".
    """

    def __init__(self, code: str, reason: str):
        super().__init__(reason)
        self.code = code
        self.reason = reason


def words(shape: Shape) -> str:
    """A shape in the user's words: "a scalar", "a vector of length 3", "a 4×3 matrix"."""
    if not shape:
        return "a scalar"
    if len(shape) == 1:
        return f"a vector of length {shape[0]}"
    sizes = "×".join(map(str, shape))
    return f"a {sizes} matrix" if len(shape) == 2 else f"a {sizes} array"


def broadcast(shapes: Sequence[Shape]) -> Shape:
    """The common shape of arrays combined entry by entry."""
    result: list[int] = []
    for axis in range(-max(map(len, shapes), default=0), 0):
        sizes = {shape[axis] for shape in shapes if len(shape) >= -axis} - {1}
        if len(sizes) > 1:
            different = " and ".join(map(str, sorted(sizes)))
            raise Misfit("GEO0301", f"sizes {different} differ")
        result.append(sizes.pop() if sizes else 1)
    return tuple(result)


def resolve_axis(axis: int, dimensions: int) -> int:
    """An axis counted from 0, from one that may be negative."""
    if not -dimensions <= axis < dimensions:
        allowed = f"axes 0 to {dimensions - 1}" if dimensions else "no axes"
        raise Misfit("GEO0302", f"axis {axis} is out of range: there are {allowed}")
    return axis % dimensions


def resolve_axes(axes: Sequence[int], dimensions: int) -> tuple[int, ...]:
    """Distinct axes counted from 0."""
    resolved = tuple(resolve_axis(axis, dimensions) for axis in axes)
    if len(set(resolved)) < len(resolved):
        raise Misfit("GEO0302", "an axis occurs twice")
    return resolved


def _elementwise(shapes: Sequence[Shape], options: Options) -> Shape:
    return broadcast(shapes)


def _matmul(shapes: Sequence[Shape], options: Options) -> Shape:
    left, right = shapes
    if len(left) < 1 or len(right) < 1:
        raise Misfit("GEO0305", "`@` needs vectors or matrices; write `*` for a scalar")
    if len(left) > 2 or len(right) > 2:
        raise Misfit("GEO0305", "`@` needs vectors or matrices; `einsum` takes more axes")
    if left[-1] != right[0]:
        raise Misfit("GEO0301", f"inner sizes {left[-1]} and {right[0]} differ")
    return left[:-1] + right[1:]


def _transpose(shapes: Sequence[Shape], options: Options) -> Shape:
    (shape,) = shapes
    axes = options.get("axes")
    if axes is None:
        return shape[::-1]
    if len(axes) != len(shape):
        raise Misfit("GEO0302", f"{len(axes)} axes are given where there are {len(shape)}")
    return tuple(shape[axis] for axis in resolve_axes(axes, len(shape)))


def _index(shapes: Sequence[Shape], options: Options) -> Shape:
    (shape,) = shapes
    result: list[int] = []
    for size, item in zip(shape, options["items"], strict=True):
        if isinstance(item, tuple):
            result.append(len(range(*item)))
        elif not 0 <= item < size:
            raise Misfit("GEO0302", f"index {item} is out of range 0 to {size - 1}")
    return tuple(result)


def _reduce(shapes: Sequence[Shape], options: Options) -> Shape:
    (shape,) = shapes
    axis = options.get("axis")
    if axis is None:
        axes: tuple[int, ...] = tuple(range(len(shape)))
    else:
        axes = resolve_axes(axis if isinstance(axis, tuple) else (axis,), len(shape))
    if options.get("keepdims"):
        return tuple(1 if i in axes else size for i, size in enumerate(shape))
    return tuple(size for i, size in enumerate(shape) if i not in axes)


def _norm(shapes: Sequence[Shape], options: Options) -> Shape:
    axis = options.get("axis")
    if isinstance(axis, tuple) and len(axis) > 2:
        raise Misfit("GEO0302", "a norm is taken along one or two axes, or over all entries")
    return _reduce(shapes, options)


def _matrix(shape: Shape) -> Shape:
    if len(shape) != 2:
        raise Misfit("GEO0305", f"a matrix is needed, and this is {words(shape)}")
    return shape


def _square(shape: Shape) -> Shape:
    if len(shape) != 2 or shape[0] != shape[1]:
        raise Misfit("GEO0305", f"a square matrix is needed, and this is {words(shape)}")
    return shape


def _trace(shapes: Sequence[Shape], options: Options) -> Shape:
    _matrix(shapes[0])
    return ()


def _det(shapes: Sequence[Shape], options: Options) -> Shape:
    _square(shapes[0])
    return ()


def _inv(shapes: Sequence[Shape], options: Options) -> Shape:
    return _square(shapes[0])


def _diag(shapes: Sequence[Shape], options: Options) -> Shape:
    (shape,) = shapes
    if len(shape) == 1:
        return (shape[0], shape[0])
    if len(shape) == 2:
        return (min(shape),)
    raise Misfit("GEO0305", f"a vector or a matrix is needed, and this is {words(shape)}")


def _outer(shapes: Sequence[Shape], options: Options) -> Shape:
    return tuple(math.prod(shape) for shape in shapes)


def _kron(shapes: Sequence[Shape], options: Options) -> Shape:
    dimensions = max(map(len, shapes))
    left, right = ((1,) * (dimensions - len(shape)) + shape for shape in shapes)
    return tuple(a * b for a, b in zip(left, right, strict=True))


def _dot(shapes: Sequence[Shape], options: Options) -> Shape:
    left, right = shapes
    if not left or not right:
        return left + right
    inner = right[0] if len(right) == 1 else right[-2]
    if left[-1] != inner:
        raise Misfit("GEO0301", f"inner sizes {left[-1]} and {inner} differ")
    return left[:-1] + (() if len(right) == 1 else right[:-2] + right[-1:])


def _einsum(shapes: Sequence[Shape], options: Options) -> Shape:
    inputs, _, output = options["subscripts"].partition("->")
    operands = inputs.split(",")
    if len(operands) != len(shapes):
        raise Misfit("GEO0208", f"{len(operands)} subscripts are given for {len(shapes)} arrays")
    sizes: dict[str, int] = {}
    for letters, shape in zip(operands, shapes, strict=True):
        if len(letters) != len(shape):
            raise Misfit("GEO0301", f"`{letters}` has {len(letters)} letters for {words(shape)}")
        for letter, size in zip(letters, shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                raise Misfit("GEO0301", f"`{letter}` is {sizes[letter]} and {size}")
    return tuple(sizes[letter] for letter in output)


def explicit_subscripts(text: str) -> str:
    """Subscripts with their output written out, `ij,jk->ik` for `ij, jk`."""
    compact = text.replace(" ", "")
    inputs, arrow, output = compact.partition("->")
    letters = inputs.replace(",", "")
    if not (letters + output).isascii() or not (letters + output + "a").isalpha():
        raise Misfit("GEO0208", "subscripts are letters, as in `ij,jk->ik`")
    if not arrow:
        output = "".join(sorted(a for a in set(letters) if letters.count(a) == 1))
    if len(set(output)) < len(output) or not set(output) <= set(letters):
        raise Misfit("GEO0208", f"`{output}` must name letters of the inputs, each once")
    return f"{inputs}->{output}"


def _reshape(shapes: Sequence[Shape], options: Options) -> Shape:
    (shape,) = shapes
    wanted = options["shape"]
    if math.prod(wanted) != math.prod(shape):
        new = "×".join(map(str, wanted)) or "1"
        raise Misfit("GEO0301", f"{math.prod(shape)} entries do not fill {new}")
    return wanted


def fill_open_size(wanted: Shape, shape: Shape) -> Shape:
    """The wanted shape with its one -1 replaced by the size that is left."""
    if -1 not in wanted:
        return wanted
    rest = -math.prod(wanted)
    if wanted.count(-1) > 1 or math.prod(shape) % rest:
        raise Misfit("GEO0301", f"{math.prod(shape)} entries leave no size for -1")
    return tuple(math.prod(shape) // rest if size == -1 else size for size in wanted)


def _concat(shapes: Sequence[Shape], options: Options) -> Shape:
    first = shapes[0]
    if not first:
        raise Misfit("GEO0305", "scalars cannot be joined; write `[a, b]`")
    axis = resolve_axis(options.get("axis", 0), len(first))
    for shape in shapes[1:]:
        if len(shape) != len(first) or any(
            a != b for i, (a, b) in enumerate(zip(first, shape, strict=True)) if i != axis
        ):
            raise Misfit("GEO0301", f"{words(first)} and {words(shape)} differ beyond axis {axis}")
    return (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])


def _stack(shapes: Sequence[Shape], options: Options) -> Shape:
    first = shapes[0]
    for shape in shapes[1:]:
        if shape != first:
            raise Misfit("GEO0301", f"{words(first)} and {words(shape)} differ")
    axis = resolve_axis(options.get("axis", 0), len(first) + 1)
    return (*first[:axis], len(shapes), *first[axis:])


def _eye(shapes: Sequence[Shape], options: Options) -> Shape:
    return (options["size"], options["size"])


def _filled(shapes: Sequence[Shape], options: Options) -> Shape:
    return options["shape"]


RULES: dict[str, Rule] = {
    **dict.fromkeys(("add", "sub", "mul", "div", "neg", "pow", "sqrt", "exp", "log"), _elementwise),
    "matmul": _matmul,
    "transpose": _transpose,
    "index": _index,
    "sum": _reduce,
    "prod": _reduce,
    "mean": _reduce,
    "norm": _norm,
    "trace": _trace,
    "det": _det,
    "inv": _inv,
    "diag": _diag,
    "outer": _outer,
    "kron": _kron,
    "dot": _dot,
    "einsum": _einsum,
    "reshape": _reshape,
    "concat": _concat,
    "stack": _stack,
    "eye": _eye,
    "zeros": _filled,
    "ones": _filled,
}
