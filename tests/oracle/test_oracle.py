"""The oracle itself, on counts and laws known from the papers."""

from __future__ import annotations

from typing import Any

import pytest
import sympy

from .oracle import TIME, Description, Oracle, velocity


def symbols(name: str, rows: int, columns: int) -> Any:
    return sympy.Matrix(rows, columns, lambda i, j: sympy.Symbol(f"{name}{i}{j}"))


def two_layers(
    n: int, r: int, m: int, order: int = 1, damping: Any = 0, entropy: bool = False
) -> tuple[Any, Any, Oracle]:
    u, v = symbols("u", n, r), symbols("v", m, r)
    parameters = (*u, *v)
    metric = parameters if entropy else (sympy.Integer(1),) * len(parameters)
    model = Description(parameters, tuple(u * v.T), metric, order, sympy.Rational(damping))
    return u, v, Oracle(model)


x, y, z = sympy.symbols("x y z")
ones = (sympy.Integer(1),) * 3


@pytest.mark.parametrize(
    ("sizes", "count"),
    [((2, 1, 2), 1), ((2, 2, 2), 3), ((1, 3, 1), 5), ((1, 2, 2), 3)],
)
def test_two_layers(sizes: tuple[int, int, int], count: int) -> None:
    u, v, oracle = two_layers(*sizes)
    assert oracle.count == count
    assert all(oracle.is_law(entry) for entry in u.T * u - v.T * v)
    assert not oracle.is_law((u.T * u + v.T * v)[0])


@pytest.mark.parametrize("damping", ["0", "1/2", "1"])
@pytest.mark.parametrize(("sizes", "count"), [((1, 1, 1), 0), ((2, 1, 2), 0), ((1, 2, 1), 2)])
def test_momentum(sizes: tuple[int, int, int], count: int, damping: str) -> None:
    u, v, oracle = two_layers(*sizes, order=2, damping=damping)
    assert (oracle.dimension, oracle.count) == (2 * len(oracle.description.parameters) + 1, count)
    du, dv = u.applyfunc(velocity), v.applyfunc(velocity)
    angular = u.T * du - du.T * u + v.T * dv - dv.T * v
    factor = sympy.exp(sympy.Rational(damping) * TIME)
    assert all(oracle.is_law(factor * entry) for entry in angular)
    if sizes[1] == 2:
        assert oracle.is_law(angular[0, 1]) == (damping == "0")
    assert not oracle.is_law(factor * u[0] * du[0])


@pytest.mark.parametrize(("sizes", "count"), [((2, 1, 2), 1), ((2, 2, 2), 2)])
def test_nonnegative_factorization(sizes: tuple[int, int, int], count: int) -> None:
    u, v, oracle = two_layers(*sizes, entropy=True)
    assert oracle.count == count
    assert all(oracle.is_law(sum(u[:, k]) - sum(v[:, k])) for k in range(sizes[1]))
    assert not oracle.is_law(u[0] ** 2 - v[0] ** 2)


def test_scalar_maps() -> None:
    assert Oracle(Description((x, y), (x * y,), ones[:2])).count == 1
    assert Oracle(Description((x, y, z), (x * y * z,), ones)).count == 2
    assert Oracle(Description((x, y, z), (x * y, z), ones)).count == 1
    assert Oracle(Description((x, y), (x, y), ones[:2])).count == 0


def test_large_coefficients_are_no_trouble() -> None:
    oracle = Oracle(Description((x, y), (x * y, 67108859 * x), ones[:2]))
    assert oracle.count == 0
    assert not oracle.is_law(x**2 - y**2)


def test_rational_map_and_logarithms() -> None:
    burg = Oracle(Description((x, y), (x * y,), (x**2, y**2)))
    assert burg.is_law(sympy.log(x) - sympy.log(y))
    normalized = Oracle(Description((x, y), (x / (x**2 + y**2), y / (x**2 + y**2)), ones[:2]))
    assert normalized.count == 0
    assert Oracle(Description((x, y), (1 / (1 + x**2 + y**2),), ones[:2])).is_law(x / y)


def test_symmetric_products_have_no_laws() -> None:
    for n, r in [(2, 1), (2, 2)]:
        u = symbols("u", n, r)
        assert (
            Oracle(Description(tuple(u), tuple(u * u.T), (sympy.Integer(1),) * (n * r))).count == 0
        )


def test_width_one_chain_has_a_seventh_law() -> None:
    a, b, c = symbols("a", 1, 2), symbols("b", 2, 2), symbols("c", 2, 1)
    metric = (sympy.Integer(1),) * 8
    assert Oracle(Description((*a, *b, *c), tuple(a * b * c), metric)).count == 7
