"""Find laws until the count is met or the dictionaries are exhausted.

Order of search: matrix forms of single parameters, products of two, split axes, blocks of all these, quotients of
minors, then scalar polynomials of rising degree with the potentials' functions, and after degree 2 quotients of
invariant polynomials. Every candidate is proved as an identity or dropped; a law is listed if its gradients at one
point over F_p raise the rank of those listed before, which proves them independent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from geoflow.deadline import Deadline
from geoflow.exact import linalg
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.expr.build import multiply
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Expr, walk
from geoflow.laws.blocks import block_laws
from geoflow.laws.darboux import MOST_ASKED, MOST_UNKNOWNS
from geoflow.laws.dictionary import combinations_in, constant_monomials
from geoflow.laws.differential import Differential, differentiate
from geoflow.laws.factors import TimeFactor, time_factors
from geoflow.laws.identity import Judgement, gradient_rows, judge
from geoflow.laws.law import Law
from geoflow.laws.matrix_form import expression, matrix_laws
from geoflow.laws.monomials import MonomialSampler, entries_of, highest_degree
from geoflow.laws.quotients import Factors, darboux_factors, quotients
from geoflow.laws.structural import SEARCHED, is_large, structural_laws
from geoflow.laws.symmetry import symmetry_of
from geoflow.laws.terms import (
    cross_terms,
    has_logarithm,
    minors,
    own_terms,
    scalar_functions,
    split_terms,
)
from geoflow.laws.tokens import UnsupportedExponential
from geoflow.lie.bracket import Generator
from geoflow.lie.point import ModularPoint
from geoflow.results import HOLDS
from geoflow.structure.symmetries import Symmetries

_CONSTANT_DEGREE = 2
DEFAULT_DEGREE = 4
DEFAULT_DARBOUX = 2
_SMALL = 500  # coordinates up to which matrix forms are found by solving for them
_BEFORE_DARBOUX = 2  # laws that are polynomials of this degree are sought first


@dataclass(frozen=True)
class Where:
    """The dictionaries to search. `degree` bounds scalar polynomials, `darboux` invariant ones; 0 leaves
    them out. `asked`: the degrees are the user's, and may cost time."""

    matrix: bool = True
    degree: int = DEFAULT_DEGREE
    functions: bool = True
    darboux: int = DEFAULT_DARBOUX
    asked: bool = False


@dataclass(frozen=True)
class LawSet:
    """Laws in canonical order; `independent` is a proved number of independent laws. `searched` says where."""

    laws: tuple[Law, ...]
    independent: int
    searched: str


@dataclass
class _Collected:
    """Laws so far, with the rows of their gradients."""

    generator: Generator
    places: Sequence[ModularPoint]
    seed: int
    deadline: Deadline
    symmetries: Symmetries
    laws: list[tuple[Expr, Judgement, np.ndarray]]

    @property
    def prime(self) -> int:
        return self.places[0].field.p

    def rows(self) -> np.ndarray:
        n = self.generator.flow.dimension
        return np.concatenate([np.zeros((0, n), dtype=np.int64), *(r for _, _, r in self.laws)])

    def rank(self) -> int:
        return linalg.rank(self.rows(), self.prime)

    def gradients(self, law: Expr) -> tuple[Differential, np.ndarray] | None:
        try:
            differential = differentiate(self.generator.flow, [law])
            return differential, gradient_rows(differential, self.places[0])
        except (UnluckyPoint, UnsupportedPrimitive, UnsupportedExponential):
            return None

    def judge(self, differential: Differential) -> Judgement:
        return judge(
            self.generator, differential, self.places, self.seed, self.deadline, self.symmetries
        )

    def take(self, candidates: Sequence[Expr], enough: int) -> None:
        """Add proved candidates that raise the rank: those with most independent entries first, then the shortest."""
        measured = []
        for law in candidates:
            found = self.gradients(law)
            if found is not None:
                measured.append(
                    (-linalg.rank(found[1], self.prime), _length(law), len(measured), law, *found)
                )
        measured.sort(key=lambda m: m[:3])
        rank = self.rank()
        for *_, law, differential, rows in measured:
            if rank >= enough:
                return
            raised = linalg.rank(np.concatenate([self.rows(), rows]), self.prime)
            if raised > rank:
                judged = self.judge(differential)
                if judged.verdict in HOLDS:
                    self.laws.append((law, judged, rows))
                    rank = raised


def find_laws(
    generator: Generator,
    places: Sequence[ModularPoint],
    upper: int,
    where: Where = Where(),
    seed: int = 0,
    deadline: Deadline = Deadline(),
    symmetries: Symmetries | None = None,
) -> LawSet:
    """Search until `upper` independent laws are known. `places`: points at which denominators do not vanish."""
    symmetries = symmetries or Symmetries.of(generator.flow)
    if is_large(generator.flow):
        laws, rank = structural_laws(symmetries, upper, deadline)
        return LawSet(laws, rank, SEARCHED)
    collected = _Collected(generator, places, seed, deadline, symmetries, [])
    searched: list[str] = []
    for name, candidates in _stages(generator, where, seed, deadline, symmetries):
        if collected.rank() >= upper or deadline.passed:
            break
        searched.append(name)
        collected.take(candidates, upper)
    return _finished(collected, searched)


def _stages(
    generator: Generator, where: Where, seed: int, deadline: Deadline, symmetries: Symmetries
) -> Iterator[tuple[str, list[Expr]]]:
    """Names of dictionaries and the candidates found in them, cheap ones first."""
    flow = generator.flow
    factors = time_factors(flow)
    degrees = range(_CONSTANT_DEGREE + 1) if flow.symbolic_constants else range(1)
    if where.matrix and flow.dimension > _SMALL:
        yield SEARCHED, symmetries.laws()
    if where.matrix:
        own = own_terms(flow)
        for degree in degrees:
            yield "matrix forms", _matrix_stage(generator, own, factors, degree, seed)
        cross = cross_terms(flow)
        if cross:
            yield (
                "products of two parameters",
                _matrix_stage(generator, own + cross, factors, 0, seed),
            )
        split = split_terms(flow)
        if split:
            yield "split axes", _matrix_stage(generator, own + split, factors, 0, seed)
        yield "blocks of matrix forms", _block_stage(generator, own + cross + split, factors, seed)
        if flow.order == 1:
            yield "quotients of minors", quotients(generator, Factors(tuple(minors(flow))), 0, seed)
    functions = entries_of(scalar_functions(flow)) if where.functions else []
    highest = highest_degree(flow, where.degree)
    for k in range(1, max(highest, _BEFORE_DARBOUX) + 1):
        for degree in degrees if k <= highest else ():
            name = f"polynomials of degree {k}"
            yield (
                name,
                _scalar_stage(generator, k, functions if k == 1 else [], factors, degree, seed),
            )
        if k == _BEFORE_DARBOUX and where.darboux:
            most = MOST_ASKED if where.asked else MOST_UNKNOWNS
            invariant = darboux_factors(generator, where.darboux, seed, deadline, most)
            for degree in degrees:
                name = f"quotients of invariant polynomials of degree {where.darboux}"
                yield name, quotients(generator, invariant, degree, seed)


def _matrix_stage(
    generator: Generator, terms: list[Expr], factors: list[TimeFactor], degree: int, seed: int
) -> list[Expr]:
    found: list[Expr] = []
    for f in factors:
        usable = terms if f.rate is None else [t for t in terms if not has_logarithm(t)]
        found += matrix_laws(generator, usable, f.factor, f.rate, degree, seed)
    return found


def _block_stage(
    generator: Generator, terms: list[Expr], factors: list[TimeFactor], seed: int
) -> list[Expr]:
    found: list[Expr] = []
    for f in factors:
        usable = terms if f.rate is None else [t for t in terms if not has_logarithm(t)]
        found += block_laws(generator, usable, f, seed)
    return found


def _scalar_stage(
    generator: Generator,
    degree: int,
    functions: list[Expr],
    factors: list[TimeFactor],
    constant_degree: int,
    seed: int,
) -> list[Expr]:
    found: list[Expr] = []
    for f in factors:
        sampler = MonomialSampler(generator, degree, functions, f.rate)
        chosen = range(len(sampler.terms))
        for combination in combinations_in(
            sampler, chosen, constant_monomials(generator.flow, constant_degree), seed
        ):
            law = expression(combination, sampler.terms)
            found.append(law if f.factor is None else multiply(f.factor, law))
    return found


def _finished(collected: _Collected, searched: list[str]) -> LawSet:
    """Drop laws that later ones made redundant, order by the parameters they begin with, count increments."""
    kept = list(collected.laws)
    full = collected.rank()
    for law in list(reversed(kept)):
        rest = [x for x in kept if x is not law]
        rows = np.concatenate(
            [
                np.zeros((0, collected.generator.flow.dimension), dtype=np.int64),
                *(r for *_, r in rest),
            ]
        )
        if rest and linalg.rank(rows, collected.prime) == full:
            kept = rest
    order = {b.leaf.name: k for k, b in enumerate(collected.generator.flow.parameters)}  # type: ignore[union-attr]
    kept.sort(key=lambda x: (_first_parameters(x[0], order), print_expr(x[0])))
    laws: list[Law] = []
    rows = np.zeros((0, collected.generator.flow.dimension), dtype=np.int64)
    before = proved = 0
    for law, judgement, own in kept:
        rows = np.concatenate([rows, own])
        rank = linalg.rank(rows, collected.prime)
        flow = collected.generator.flow
        independent = linalg.rank(own, collected.prime)
        verdict, why = judgement.verdict, symmetry_of(law, flow)
        laws.append(Law(law, flow, verdict, independent, rank - before, why, judgement.reason))
        proved += (rank - before) if verdict == "proved" else 0
        before = rank
    names = list(dict.fromkeys(searched))
    return LawSet(tuple(laws), proved, ", ".join(names))


def _first_parameters(law: Expr, order: dict[str, int]) -> tuple[int, ...]:
    names = [getattr(n, "name", None) for n in walk(law)]
    return tuple(sorted({order[n] for n in names if n in order}))


def _length(law: Expr) -> int:
    return len(print_expr(law))
