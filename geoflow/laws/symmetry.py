"""Which symmetry gives which law.

Order 1: h is conserved for every loss iff the field M⁻¹∇h leaves φ unchanged (dφ·M⁻¹∇h = 0 is the law's own identity).
For Gram matrices that field is a change of basis, for sums of uψ'(u) − ψ(u) a rescaling. Order 2: angular momenta
belong to rotations (Noether). A candidate is read off the law's terms; it is printed only if φ is unchanged by a random
member of it, computed mod p.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

import flint
import jax
import numpy as np

from geoflow.exact.dual import TRANSCENDENTAL
from geoflow.exact.estimates import Estimates
from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.lifting import lift
from geoflow.exact.primefield import PrimeField, draw_prime
from geoflow.exact.program import UnsupportedPrimitive, trace
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Apply, Expr, Number, Parameter, Velocity, walk
from geoflow.flow import Flow
from geoflow.lie.bracket import exact_constants, example_constants, example_point
from geoflow.parametrization import shaped

Action = Callable[[np.ndarray, PrimeField, "Member"], np.ndarray]


@dataclass(frozen=True)
class Member:
    """A random member of a group mod p: an invertible or orthogonal matrix with its inverse, or scales."""

    matrix: np.ndarray
    inverse: np.ndarray


@dataclass(frozen=True)
class Move:
    """What the symmetry does to one parameter."""

    name: str
    text: str
    action: Action


def symmetry_of(law: Expr, flow: Flow, known: bool = False) -> str:
    """`U → U G, V → V G⁻ᵀ`, or nothing; fields written out have no φ that a symmetry could leave unchanged. `known`:
    that it leaves φ unchanged needs no test."""
    if not flow.parametrization.outputs:
        return ""
    body = law
    if isinstance(body, Apply) and body.operation == "mul" and _time_only(body.arguments[0]):
        body = body.arguments[1]
    terms = _terms(body, Fraction(1))
    if flow.order == 2:
        moves, draw, where = _rotations(terms), _orthogonal, ", R orthogonal"
    elif all(_gram_side(t) for _, t in terms):
        moves, draw, where = _changes_of_basis(terms), _invertible, ""
    else:
        moves, draw, where = _rescalings(terms, flow), _scales, _where(terms)
    if not moves or len({m.name for m in moves}) < len(moves):
        return ""
    if not known and not _leaves_output(flow, moves, draw, law.shape):
        return ""
    return ", ".join(m.text for m in moves) + where


def _leaves_output(
    flow: Flow,
    moves: Sequence[Move],
    draw: Callable[[np.random.Generator, PrimeField, tuple[int, ...]], Member],
    shape: tuple[int, ...],
) -> bool:
    """Whether φ is unchanged by a random member, at a random point mod p."""
    rng = np.random.default_rng(0x73796D)
    field = PrimeField(draw_prime(rng))
    constants = {n: rng.integers(1, field.p, (1, 1)) for n in flow.symbolic_constants}
    try:
        data = shaped({d.name: d.shape for d in flow.parametrization.data})
        traced = trace(flow.output, example_constants(flow), example_point(flow), data)
        program = lift(traced)
        if {i.primitive for i in program.instructions} & TRANSCENDENTAL:
            field = Estimates(field.p)
        inputs = {n: rng.integers(1, field.p, (1, 1, *s.shape)) for n, s in data.items()}
        gates = [rng.integers(0, 2, (1, 1, *g.shape)) for g in program.gates]
        member = draw(rng, field, shape)
        exact = exact_constants(field, flow.constants, constants)
        point = {b.name: rng.integers(1, field.p, (1, 1, *b.shape)) for b in flow.state}
        moved = dict(point)
        for move in moves:
            moved[move.name] = move.action(point[move.name][0, 0], field, member)[None, None]
        before, after = (
            run(program, field, jax.tree.leaves((exact, z, inputs)), gates) for z in (point, moved)
        )
    except (UnluckyPoint, UnsupportedPrimitive, ZeroDivisionError, ValueError):
        return False
    return all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def _invertible(rng: np.random.Generator, field: PrimeField, shape: tuple[int, ...]) -> Member:
    matrix = rng.integers(0, field.p, (shape[0], shape[0]))
    return Member(matrix, _inverse(matrix, field))


def _orthogonal(rng: np.random.Generator, field: PrimeField, shape: tuple[int, ...]) -> Member:
    """(I − S)(I + S)⁻¹ with S skew (Cayley)."""
    half = rng.integers(0, field.p, (shape[0], shape[0]))
    skew, unit = (half - half.T) % field.p, np.eye(shape[0], dtype=np.int64)
    matrix = field.matmul((unit - skew) % field.p, _inverse((unit + skew) % field.p, field))
    return Member(matrix, matrix.T)


def _scales(rng: np.random.Generator, field: PrimeField, shape: tuple[int, ...]) -> Member:
    scales = rng.integers(1, field.p, shape)
    return Member(scales, field.power(scales, field.p - 2))


def _inverse(matrix: np.ndarray, field: PrimeField) -> np.ndarray:
    n = len(matrix)
    found = flint.nmod_mat(n, n, matrix.ravel().tolist(), field.p).inv()
    return np.array([int(x) for x in found.entries()], dtype=np.int64).reshape(n, n)


def _time_only(expr: Expr) -> bool:
    return not any(isinstance(n, Parameter | Velocity) for n in walk(expr))


def _terms(expr: Expr, sign: Fraction) -> list[tuple[Fraction, Expr]]:
    """A sum with its signs and coefficients taken apart."""
    if isinstance(expr, Apply):
        match expr.operation:
            case "add" | "sub":
                other = sign if expr.operation == "add" else -sign
                return _terms(expr.arguments[0], sign) + _terms(expr.arguments[1], other)
            case "neg":
                return _terms(expr.arguments[0], -sign)
            case "mul" if isinstance(expr.arguments[0], Number):
                return _terms(expr.arguments[1], sign * expr.arguments[0].value)
    return [(sign, expr)]


def _transposed(expr: Expr) -> tuple[Parameter | Velocity, bool] | None:
    """The leaf, and whether it is transposed."""
    if isinstance(expr, Parameter | Velocity):
        return expr, False
    if isinstance(expr, Apply) and expr.operation == "transpose":
        inner = expr.arguments[0]
        if isinstance(inner, Parameter | Velocity):
            return inner, True
    return None


def _sides(term: Expr) -> tuple[Parameter | Velocity, Parameter | Velocity, bool] | None:
    """(A, B, True) for A.T @ B, which A → A G changes; (A, B, False) for A @ B.T."""
    if not isinstance(term, Apply) or term.operation != "matmul":
        return None
    left, right = map(_transposed, term.arguments)
    if left is None or right is None or left[1] == right[1]:
        return None
    if len(left[0].shape) != 2 or len(right[0].shape) != 2:  # the transpose of a vector
        return None
    return left[0], right[0], left[1]


def _gram_side(term: Expr) -> tuple[str, bool] | None:
    sides = _sides(term)
    if sides is None or not all(isinstance(x, Parameter) for x in sides[:2]):
        return None
    return (sides[0].name, sides[2]) if sides[0].name == sides[1].name else None


def _changes_of_basis(terms: Sequence[tuple[Fraction, Expr]]) -> list[Move]:
    moves, first = [], terms[0][0] > 0
    for coefficient, term in terms:
        side = _gram_side(term)
        assert side is not None
        name, right = side
        along = (coefficient > 0) == first
        match right, along:
            case True, True:
                moves.append(
                    Move(name, f"{name} → {name} G", lambda a, f, g: f.matmul(a, g.matrix))
                )
            case True, False:
                moves.append(
                    Move(name, f"{name} → {name} G⁻ᵀ", lambda a, f, g: f.matmul(a, g.inverse.T))
                )
            case False, True:
                moves.append(
                    Move(name, f"{name} → Gᵀ {name}", lambda a, f, g: f.matmul(g.matrix.T, a))
                )
            case _:
                moves.append(
                    Move(name, f"{name} → G⁻¹ {name}", lambda a, f, g: f.matmul(g.inverse, a))
                )
    return moves


def _rotations(terms: Sequence[tuple[Fraction, Expr]]) -> list[Move]:
    """Skew combinations A.T @ A' − A'.T @ A: A → A R."""
    moves: dict[str, Move] = {}
    first: bool | None = None
    for coefficient, term in terms:
        sides = _sides(term)
        if sides is None or sides[0].name != sides[1].name or type(sides[0]) is type(sides[1]):
            return []
        name, right = sides[0].name, sides[2]
        forward = (coefficient > 0) == isinstance(sides[0], Parameter)
        first = forward if first is None else first
        with_first = forward == first
        if right:
            text = f"{name} → {name} {'R' if with_first else 'Rᵀ'}"
        else:
            text = f"{name} → {'Rᵀ' if with_first else 'R'} {name}"
        moves.setdefault(name, Move(name, text, _rotated(right, with_first)))
    return list(moves.values())


def _rotated(right: bool, forward: bool) -> Action:
    def action(a: np.ndarray, field: PrimeField, member: Member) -> np.ndarray:
        matrix = member.matrix if forward else member.inverse
        return field.matmul(a, matrix) if right else field.matmul(matrix.T, a)

    return action


def _rescalings(terms: Sequence[tuple[Fraction, Expr]], flow: Flow) -> list[Move]:
    """Σ F(A) with F the balanced function of A's metric: each slice is multiplied by cⁿ."""
    found: list[tuple[str, Fraction, Expr]] = []
    for coefficient, term in terms:
        part = _balanced_part(term, flow)
        if part is None:
            return []
        found.append((part[0], coefficient * part[1], term))
    scale = lcm(*(n.denominator for _, n, _ in found))
    common = gcd(*(int(n * scale) for _, n, _ in found)) * (1 if found[0][1] > 0 else -1)
    moves = []
    for name, n, term in found:
        exponent = int(n * scale) // common
        moves.append(Move(name, f"{name} → {_power(exponent)}{name}", _rescaled(term, exponent)))
    return moves


def _rescaled(term: Expr, exponent: int) -> Action:
    axis = term.option("axis") if isinstance(term, Apply) and term.operation == "sum" else ()
    axes = (axis,) if isinstance(axis, int) else axis

    def action(a: np.ndarray, field: PrimeField, member: Member) -> np.ndarray:
        scales = field.power(member.matrix if exponent > 0 else member.inverse, abs(exponent))
        return a * (scales if axes is None else np.expand_dims(scales, axes)) % field.p

    return action


def _balanced_part(term: Expr, flow: Flow) -> tuple[str, Fraction] | None:
    """The parameter, and the exponent p of F = uᵖ: F is p·(uψ' − ψ) up to a constant of the metric."""
    names = {n.name for n in walk(term) if isinstance(n, Parameter)}
    if len(names) != 1:
        return None
    inner = term.arguments[0] if isinstance(term, Apply) and term.operation == "sum" else term
    name = names.pop()
    block = next((b for b in flow.parameters if b.name == name), None)
    if block is None:  # a moment
        return None
    own = flow.metric_of(name).balanced(Parameter(name, block.shape))
    if not own or print_expr(inner) != print_expr(own[0]):
        return None
    if isinstance(inner, Apply) and inner.operation == "pow":
        return name, Fraction(inner.option("exponent"))
    return name, Fraction(1)


def _power(n: int) -> str:
    return "c·" if n == 1 else f"c^{n}·" if n > 0 else f"c^({n})·"


def _where(terms: Sequence[tuple[Fraction, Expr]]) -> str:
    if not terms[0][1].shape:
        return ""
    summed = any(isinstance(t, Apply) and t.operation == "sum" for _, t in terms)
    return ", slice by slice" if summed else ", entry by entry"
