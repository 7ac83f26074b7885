"""The options of a call as `expr.tree.OPERATIONS` wants them: axes counted from 0, defaults and a size
left open filled in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from geoflow.expr.tree import Expr, Shape
from geoflow.semantics import shapes

Options = dict[str, Any]


def complete(operation: str, arrays: Sequence[Expr], options: Options) -> None:
    """Fill in the options of an operation on arrays. Raises `shapes.Misfit`."""
    rule = _RULES.get(operation)
    if rule is not None:
        rule(arrays, options)


def _reduction(arrays: Sequence[Expr], options: Options) -> None:
    axis = options.setdefault("axis", None)
    options.setdefault("keepdims", False)
    dimensions = len(arrays[0].shape)
    if isinstance(axis, tuple):
        options["axis"] = shapes.resolve_axes(axis, dimensions)
    elif axis is not None:
        options["axis"] = shapes.resolve_axis(axis, dimensions)


def _joined(new: bool) -> Callable[[Sequence[Expr], Options], None]:
    def rule(arrays: Sequence[Expr], options: Options) -> None:
        axis = options.setdefault("axis", 0)
        dimensions = len(arrays[0].shape) if arrays else 0
        if dimensions or new:
            options["axis"] = shapes.resolve_axis(axis, dimensions + new)

    return rule


def _transpose(arrays: Sequence[Expr], options: Options) -> None:
    if options.get("axes") is None:
        options.pop("axes", None)
    else:
        options["axes"] = shapes.resolve_axes(options["axes"], len(arrays[0].shape))


def _reshape(arrays: Sequence[Expr], options: Options) -> None:
    options["shape"] = shapes.fill_open_size(options["shape"], arrays[0].shape)


def _softmax(arrays: Sequence[Expr], options: Options) -> None:
    options["axis"] = shapes.resolve_axis(options.get("axis", -1), len(arrays[0].shape))


def _size(arrays: Sequence[Expr], options: Options) -> None:
    if "axis" in options:
        options["axis"] = shapes.resolve_axis(options["axis"], len(arrays[0].shape))


def _convolution(axes: int) -> Callable[[Sequence[Expr], Options], None]:
    def rule(arrays: Sequence[Expr], options: Options) -> None:
        options["stride"] = _each(options.get("stride", (1,)), axes, "strides")
        options["padding"] = _each(options.get("padding", (0,)), axes, "paddings")
        options.setdefault("groups", 1)

    return rule


def _pooling(arrays: Sequence[Expr], options: Options) -> None:
    window = options["k"]
    options["stride"] = _each(options.get("stride", window), len(window), "strides")


def _each(given: Shape, axes: int, what: str) -> Shape:
    """One number an axis; a single one counts for all."""
    if len(given) not in (1, axes):
        count = "one axis" if axes == 1 else f"{axes} axes"
        raise shapes.Misfit("GEO0208", f"{len(given)} {what} are given for {count}")
    return given * axes if len(given) == 1 else given


_RULES: dict[str, Callable[[Sequence[Expr], Options], None]] = {
    **dict.fromkeys(("sum", "prod", "mean", "norm"), _reduction),
    "concat": _joined(new=False),
    "stack": _joined(new=True),
    "transpose": _transpose,
    "reshape": _reshape,
    "softmax": _softmax,
    "size": _size,
    "conv1d": _convolution(1),
    "conv2d": _convolution(2),
    "max_pool": _pooling,
    "avg_pool": _pooling,
}
