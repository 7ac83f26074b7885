"""The shape rules agree with the table of operations and with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoflow.expr.tree import OPERATIONS
from geoflow.semantics.layers import RULES
from geoflow.semantics.shapes import Misfit, explicit_subscripts, fill_open_size, words

shapes = st.lists(st.integers(1, 3), max_size=3).map(tuple)
ones = np.ones

_NUMPY: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "matmul": np.matmul,
    "outer": np.outer,
    "kron": np.kron,
    "dot": np.dot,
    "trace": np.trace,
    "det": np.linalg.det,
    "inv": np.linalg.inv,
    "diag": np.diag,
    "neg": np.negative,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "transpose": np.transpose,
}
_BINARY = ("add", "sub", "mul", "div", "matmul", "outer", "kron", "dot")


def test_every_operation_has_a_rule():
    assert RULES.keys() == OPERATIONS.keys()


def _agree(operation: str, arguments: tuple[tuple[int, ...], ...]) -> None:
    """The same shape as NumPy's, or a refusal where NumPy refuses."""
    arrays = [np.eye(*s) + 1 if len(s) == 2 else ones(s) for s in arguments]
    try:
        expected = np.shape(_NUMPY[operation](*arrays))
    except (ValueError, np.linalg.LinAlgError):
        with pytest.raises(Misfit):
            RULES[operation](arguments, {})
    else:
        assert RULES[operation](arguments, {}) == expected


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.sampled_from(_BINARY), shapes, shapes)
def test_binary_operations_are_numpys(operation: str, left: tuple, right: tuple):
    if operation == "matmul" and max(len(left), len(right)) > 2:
        with pytest.raises(Misfit):
            RULES[operation]((left, right), {})
    else:
        _agree(operation, (left, right))


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.sampled_from(sorted(set(_NUMPY) - set(_BINARY))), shapes)
def test_unary_operations_are_numpys(operation: str, shape: tuple):
    of_matrices = operation in ("trace", "det", "inv", "diag")
    if of_matrices and len(shape) != 2 and not (operation == "diag" and len(shape) == 1):
        with pytest.raises(Misfit):
            RULES[operation]((shape,), {})
    else:
        _agree(operation, (shape,))


@settings(deadline=None, derandomize=True, max_examples=200)
@given(shapes, st.none() | st.integers(-4, 3) | st.tuples(st.integers(-3, 2), st.integers(-3, 2)),
       st.booleans())  # fmt: skip
def test_reductions_are_numpys(shape: tuple, axis: Any, keepdims: bool):
    options = {"axis": axis, "keepdims": keepdims}
    try:
        if not shape and isinstance(axis, int):  # NumPy takes a scalar for a vector here
            raise ValueError
        expected = np.sum(ones(shape), axis=axis, keepdims=keepdims).shape
    except ValueError:
        with pytest.raises(Misfit):
            RULES["sum"]((shape,), options)
    else:
        for operation in ("sum", "prod", "mean"):
            assert RULES[operation]((shape,), options) == expected


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.lists(shapes, min_size=1, max_size=3), st.integers(-4, 3))
def test_joining_is_numpys(arguments: list[tuple], axis: int):
    for operation, join in (("concat", np.concatenate), ("stack", np.stack)):
        try:
            expected = join([ones(s) for s in arguments], axis=axis).shape
        except ValueError:
            with pytest.raises(Misfit):
                RULES[operation](arguments, {"axis": axis})
        else:
            assert RULES[operation](arguments, {"axis": axis}) == expected


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.data())
def test_einsum_is_numpys(data: st.DataObject):
    arguments = data.draw(st.lists(shapes, min_size=1, max_size=2))
    subscripts = ",".join(
        data.draw(st.text("ijk", min_size=len(s), max_size=len(s))) for s in arguments
    )
    if data.draw(st.booleans()):
        subscripts += "->" + data.draw(st.text("ijk", max_size=2))
    # NumPy stretches a size of 1 to fit another of the same letter; a letter has one size here
    sizes: dict[str, set[int]] = {}
    for letters, shape in zip(subscripts.split("->")[0].split(","), arguments, strict=True):
        for letter, size in zip(letters, shape, strict=True):
            sizes.setdefault(letter, set()).add(size)
    stretched = any(1 in found and len(found) > 1 for found in sizes.values())
    try:
        expected = np.einsum(subscripts, *(ones(s) for s in arguments)).shape
        refused = stretched
    except ValueError:
        expected, refused = None, True
    if refused:
        with pytest.raises(Misfit):
            RULES["einsum"](arguments, {"subscripts": explicit_subscripts(subscripts)})
    else:
        found = RULES["einsum"](arguments, {"subscripts": explicit_subscripts(subscripts)})
        assert found == expected


@settings(deadline=None, derandomize=True, max_examples=200)
@given(shapes, st.lists(st.sampled_from([-1, 1, 2, 3, 4, 6]), max_size=3).map(tuple))
def test_reshape_is_numpys(shape: tuple, wanted: tuple):
    try:
        expected = ones(shape).reshape(wanted).shape
    except ValueError:
        with pytest.raises(Misfit):
            RULES["reshape"]((shape,), {"shape": fill_open_size(wanted, shape)})
    else:
        filled = fill_open_size(wanted, shape)
        assert RULES["reshape"]((shape,), {"shape": filled}) == expected


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_norm_is_numpys(axis: Any, keepdims: bool):
    shape = (2, 3)
    expected = np.linalg.norm(ones(shape), axis=axis, keepdims=keepdims).shape
    assert RULES["norm"]((shape,), {"axis": axis, "keepdims": keepdims}) == expected


def test_creation():
    assert RULES["eye"]((), {"size": 3}) == (3, 3)
    assert RULES["zeros"]((), {"shape": (2, 3)}) == RULES["ones"]((), {"shape": (2, 3)}) == (2, 3)


def test_index_counts_what_a_slice_selects():
    assert RULES["index"](((5, 4, 3),), {"items": (2, (0, 4, 3), (0, 3, 1))}) == (2, 3)
    with pytest.raises(Misfit):
        RULES["index"](((5,),), {"items": (5,)})


def test_shapes_in_words():
    assert [words(s) for s in ((), (3,), (4, 3), (2, 4, 3))] == [
        "a scalar", "a vector of length 3", "a 4×3 matrix", "a 2×4×3 array"
    ]  # fmt: skip
