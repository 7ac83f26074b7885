"""Long polynomial laws as arrays, so that a law of many monomials is a few operations and not one for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.expr.tree import Apply, Expr, Number, Parameter, Velocity, walk
from geoflow.flow import Flow
from geoflow.verification.trajectory import Point

_LONG = 12  # monomials from which on arrays are worth it
_MOST = 10**4

Entry = tuple[str, tuple[int, ...]]
Terms = dict[tuple[Entry, ...], Fraction]


@dataclass(frozen=True)
class LongPolynomial:
    """Σ cⱼ Π z: `coefficients` [terms], `positions` [terms, degree] among the flat coordinates of `blocks` and, last,
    1."""

    blocks: tuple[str, ...]
    coefficients: np.ndarray
    positions: np.ndarray

    @staticmethod
    def of(law: Expr, flow: Flow) -> LongPolynomial | None:
        """None for a law that is no polynomial in entries, or a short one."""
        terms = _terms(law)
        if terms is None or not _LONG <= len(terms) <= _MOST:
            return None
        starts, size = {}, 0
        for b in flow.state:
            starts[b.name] = (size, b.shape)
            size += b.size
        degree = max(map(len, terms))
        rows = []
        for entries in terms:
            flat = [
                starts[name][0] + int(np.ravel_multi_index(at, starts[name][1]))
                for name, at in entries
            ]
            rows.append(flat + [size] * (degree - len(flat)))
        return LongPolynomial(
            tuple(b.name for b in flow.state),
            np.array([float(x) for x in terms.values()]),
            np.array(rows),
        )

    def value(self, point: Point) -> jax.Array:
        """The value at a point."""
        return jnp.sum(self._monomials(point))

    def scale(self, point: Point) -> jax.Array:
        """The sum of the sizes of the monomials."""
        return jnp.sum(jnp.abs(self._monomials(point)))

    def _monomials(self, point: Point) -> jax.Array:
        flat = [jnp.ravel(jnp.asarray(point[n])) for n in self.blocks]
        numbers = jnp.concatenate([*flat, jnp.ones(1)])
        return jnp.asarray(self.coefficients) * jnp.prod(numbers[self.positions], axis=1)


def _terms(law: Expr) -> Terms | None:
    """The monomials of a scalar polynomial in entries of parameters and velocities."""
    if law.shape:
        return None
    values: dict[int, Terms] = {}
    for node in walk(law):
        found = _node(node, [values.get(id(a)) for a in getattr(node, "arguments", ())])
        if found is not None and len(found) <= _MOST:
            values[id(node)] = found
    return values.get(id(law))


def _node(node: Expr, arguments: list[Terms | None]) -> Terms | None:
    if isinstance(node, Number):
        return {(): node.value}
    if isinstance(node, Parameter | Velocity) and not node.shape:
        return {((_block(node), ()),): Fraction(1)}
    if not isinstance(node, Apply):
        return None
    if node.operation == "index" and isinstance(node.arguments[0], Parameter | Velocity):
        items = node.option("items")
        if len(items) == len(node.arguments[0].shape) and all(isinstance(i, int) for i in items):
            return {((_block(node.arguments[0]), tuple(items)),): Fraction(1)}
        return None
    known = [a for a in arguments if a is not None]
    rule = _RULES.get(node.operation)
    if rule is None or len(known) != len(arguments):
        return None
    return rule(node, known)


def _block(leaf: Parameter | Velocity) -> str:
    return f"{leaf.name}'" if isinstance(leaf, Velocity) else leaf.name


def _sum(left: Terms, right: Terms, sign: int) -> Terms:
    total = dict(left)
    for m, x in right.items():
        total[m] = total.get(m, Fraction(0)) + sign * x
    return total


def _product(left: Terms, right: Terms) -> Terms | None:
    if min(len(left), len(right)) > 1:
        return None  # written as a product: its value is not that of the monomials, digit by digit
    return {tuple(sorted(m + n)): x * y for m, x in left.items() for n, y in right.items()}


def _power(node: Apply, base: Terms) -> Terms | None:
    exponent = node.option("exponent")
    if len(base) != 1 or exponent.denominator != 1 or exponent < 0:
        return None
    ((monomial, x),) = base.items()
    return {tuple(sorted(monomial * int(exponent))): x ** int(exponent)}


_RULES: dict[str, Callable[[Apply, list[Terms]], Terms | None]] = {
    "add": lambda _, a: _sum(a[0], a[1], 1),
    "sub": lambda _, a: _sum(a[0], a[1], -1),
    "neg": lambda _, a: _sum({}, a[0], -1),
    "mul": lambda _, a: _product(a[0], a[1]),
    "pow": lambda node, a: _power(node, a[0]),
}
