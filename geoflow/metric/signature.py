"""Whether a matrix of functions is a metric: symmetric, invertible, positive definite, at rational points.

An asymmetry at one point is a proof. A determinant that is 0, or a sign that is wrong, at every point tried is not, and
is said so: points are small first, so that a person can check them, then large and random.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import flint
import jax
import numpy as np

from geoflow.exact.floats import Floats
from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.program import UnsupportedPrimitive, trace
from geoflow.exact.rationals import Irrational, Rationals
from geoflow.expr.tree import Shape
from geoflow.metric.base import Arrays, NoMetric
from geoflow.metric.genericrank import exact_values, vanishes_identically

_SMALL, _LARGE, _TOP = 12, 4, 1000
_SHOWN = 6  # coordinates of a point that are printed
_ROUND_OFF = 1e-9

Sign = Literal["positive", "negative", "indefinite", "singular"]


@dataclass(frozen=True)
class Sample:
    """A matrix of functions at a point: rationals, or floats where there are none."""

    where: str
    entries: np.ndarray

    @property
    def exact(self) -> bool:
        """Whether the entries are rational numbers."""
        return self.entries.dtype == object

    @property
    def floats(self) -> np.ndarray:
        """The entries, rounded."""
        return np.array([[float(_fraction(x)) for x in row] for row in self.entries])

    def asymmetry(self) -> tuple[int, int] | None:
        """An entry that differs from the one across the diagonal."""
        for i in range(len(self.entries)):
            for j in range(i):
                a, b = self.entries[i, j], self.entries[j, i]
                if a != b if self.exact else abs(a - b) > _ROUND_OFF * (abs(a) + abs(b)):
                    return j, i
        return None

    def sign(self) -> Sign:
        """Of a symmetric matrix."""
        values = np.linalg.eigvalsh(self.floats)
        size = np.max(np.abs(values))
        small = bool(np.any(np.abs(values) <= _ROUND_OFF * size))
        if small and (not self.exact or self._determinant() == 0):
            return "singular"
        return "positive" if values[0] > 0 else "negative" if values[-1] < 0 else "indefinite"

    def _determinant(self) -> flint.fmpq:
        size = len(self.entries)
        return flint.fmpq_mat(size, size, list(self.entries.flat)).det()


@dataclass(frozen=True)
class Domain:
    """Where the functions live: constants (None: symbolic), parameters, and which of them are positive. `own`: those
    that are measured."""

    own: tuple[str, ...]
    known: Mapping[str, Fraction | None]
    shapes: Mapping[str, Shape]
    positive: frozenset[str]


Matrix = Callable[[Arrays, Arrays], jax.Array]


def verify_symmetric(matrix: Matrix, samples: list[Sample], domain: Domain) -> str:
    """What must be assumed for the matrix to be symmetric; nothing where it is so identically.

    Raises:
        NoMetric: it is not.
    """
    for sample in samples:
        found = sample.asymmetry()
        if found is not None:
            i, j = found
            a, b = shown(sample.entries[i, j]), shown(sample.entries[j, i])
            raise NoMetric(
                domain.own,
                "The matrix of a metric is symmetric, and this one is not.",
                f"M[{i},{j}] = {a} but M[{j},{i}] = {b}{sample.where}",
            )

    def skew(c: Arrays, theta: Arrays) -> jax.Array:
        m = matrix(c, theta)
        return m - m.T

    if vanishes_identically(skew, domain.known, domain.shapes):
        return ""
    return "the metric is symmetric, as it is at every point tried"


def verify_sign(samples: list[Sample], domain: Domain) -> str:
    """What must be assumed for symmetric matrices to be metrics; nothing where they are positive definite.

    Raises:
        NoMetric: all are singular, or negative definite.
    """
    found = _Signs.of(samples)
    if samples and not found.regular:
        message = "This metric is singular at every point tried, so it has no inverse."
        raise NoMetric(domain.own, message, _matrix_shown(samples[0]))
    if found.all_negative:
        message = "This metric is negative definite at every point tried: the loss would grow."
        raise NoMetric(domain.own, message, _matrix_shown(found.regular[0]))
    if not found.wrong:
        return ""
    bad = found.wrong[0].where
    if found.good:
        return f"where the metric is positive definite, as{found.good[0].where}, but not{bad}"
    return f"the metric is indefinite at every point tried, as{bad}: no Riemannian metric"


def verify_convex(samples: list[Sample], domain: Domain, potential: str) -> str:
    """The same for ψ'' of a potential.

    Raises:
        NoMetric: ψ'' is 0 at every point, or negative.
    """
    found = _Signs.of(samples)
    if samples and not found.regular:
        raise NoMetric(domain.own, f"{potential} has no metric: its second derivative is 0.")
    if found.all_negative:
        first = found.regular[0]
        message = f"{potential} is concave at every point tried, and a potential is convex."
        raise NoMetric(domain.own, message, f"ψ'' = {shown(first.entries[0, 0])}{first.where}")
    if not found.wrong:
        return ""
    good, bad = found.good[0].where, found.wrong[0].where
    lower = potential[0].lower() + potential[1:]
    return f"where {lower} is convex, as{good}, but not{bad}"


@dataclass(frozen=True)
class _Signs:
    """Samples by sign; those that are singular are neither."""

    good: tuple[Sample, ...]
    wrong: tuple[Sample, ...]
    negative: int

    @staticmethod
    def of(samples: list[Sample]) -> _Signs:
        signs = [s.sign() for s in samples]
        pairs = list(zip(samples, signs, strict=True))
        good = tuple(s for s, sign in pairs if sign == "positive")
        wrong = tuple(s for s, sign in pairs if sign in ("negative", "indefinite"))
        return _Signs(good, wrong, signs.count("negative"))

    @property
    def regular(self) -> tuple[Sample, ...]:
        return self.good + self.wrong

    @property
    def all_negative(self) -> bool:
        return bool(self.regular) and self.negative == len(self.regular)


def samples(matrix: Matrix, domain: Domain) -> list[Sample]:
    """The matrix at points where it is defined.

    Raises:
        UnsupportedPrimitive: no arithmetic here evaluates it.
    """
    program = trace(
        matrix,
        {n: jax.ShapeDtypeStruct((), np.float64) for n in domain.known},
        {n: jax.ShapeDtypeStruct(s, np.float64) for n, s in domain.shapes.items()},
    )
    used = {s for i in program.instructions for s in i.inputs} | set(program.outputs)
    names = [*sorted(domain.known), *sorted(domain.shapes)]
    seen = {n for k, n in enumerate(names) if k in used}
    found = []
    for symbolic, point in _points(domain):
        where = _where({**symbolic, **point}, seen)
        for ring in (Rationals(), Floats()):
            known = exact_values(
                ring, domain.known, {n: ring.literal(v) for n, v in symbolic.items()}
            )
            place = {n: ring.literal(v[None, None]) for n, v in point.items()}
            try:
                (value,) = run(program, ring, jax.tree.leaves((known, place)))
            except (Irrational, UnsupportedPrimitive) as error:
                if isinstance(ring, Floats) and isinstance(error, UnsupportedPrimitive):
                    raise
                continue
            except UnluckyPoint:
                break
            found.append(Sample(where, value[0, 0]))
            break
        if not seen & set(domain.shapes) and found:
            break  # constant
    return found


def _points(domain: Domain) -> Iterator[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """Symbolic constants [1, 1] and parameters: 1, 2, 3 … first, then small and large ones of either sign."""
    rng = np.random.default_rng(0x7369676E)
    symbolic = [n for n, v in domain.known.items() if v is None]
    for k in range(_SMALL + _LARGE):
        top = 9 if k < _SMALL else _TOP
        counter = iter(range(1, 10**9))

        def draw(shape: Shape, signed: bool, k: int = k, top: int = top, c: Any = counter) -> Any:
            if k == 0:
                return np.array([next(c) for _ in range(int(np.prod(shape)))]).reshape(shape)
            value = rng.integers(1, top + 1, shape)
            return value * rng.choice([-1, 1], shape) if signed else value

        yield (
            {n: draw((1, 1), signed=False) for n in symbolic},
            {n: draw(s, signed=n not in domain.positive) for n, s in domain.shapes.items()},
        )


def _where(point: Mapping[str, np.ndarray], seen: set[str]) -> str:
    """` at x = 1, y = 2`, of what the matrix depends on."""
    parts = []
    for name, value in point.items():
        if name in seen:
            parts.append(f"{name} = {value.item() if value.size == 1 else value.tolist()}")
    more = ", …" if len(parts) > _SHOWN else ""
    return f" at {', '.join(parts[:_SHOWN])}{more}" if parts else ""


def _matrix_shown(sample: Sample) -> str:
    if len(sample.entries) <= 4:
        rows = ", ".join("[" + ", ".join(map(shown, row)) + "]" for row in sample.entries)
        return f"M = [{rows}]{sample.where}"
    values = np.linalg.eigvalsh(sample.floats)
    return f"the eigenvalues of M are between {values[0]:.3g} and {values[-1]:.3g}{sample.where}"


def shown(value: Any) -> str:
    """An entry as text."""
    return str(_fraction(value)) if isinstance(value, flint.fmpq) else f"{value:.6g}"


def _fraction(value: Any) -> Any:
    return Fraction(int(value.p), int(value.q)) if isinstance(value, flint.fmpq) else value
