"""Find laws until the count is met or the dictionaries are exhausted.

Order of search: matrix forms of single parameters, products of two, split axes, blocks of all these, quotients of
minors, then scalar polynomials of rising degree with the potentials' functions, and after degree 2 quotients of
invariant polynomials. Every candidate is proved as an identity or dropped; a law is listed if its gradients at one
point over F_p raise the rank of those listed before, which proves them independent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from geoflow.deadline import Deadline
from geoflow.exact import linalg
from geoflow.expr.build import multiply
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Expr, walk
from geoflow.laws.blocks import block_laws
from geoflow.laws.classes import number_of_monomials
from geoflow.laws.collected import Collected
from geoflow.laws.darboux import MOST_ASKED, MOST_UNKNOWNS
from geoflow.laws.dictionary import combinations_in, constant_monomials
from geoflow.laws.factors import TimeFactor, time_factors
from geoflow.laws.law import Law
from geoflow.laws.matrix_form import expression, matrix_laws
from geoflow.laws.monomials import MonomialSampler, entries_of, highest_degree
from geoflow.laws.polynomialfield import coordinate_positions
from geoflow.laws.polynomiallaws import DEFAULT_WORK, MOST_WORK, FieldSymmetries, Search
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
from geoflow.lie.bracket import Generator
from geoflow.lie.point import ModularPoint
from geoflow.structure.symmetries import Symmetries

_CONSTANT_DEGREE = 2
DEFAULT_DEGREE = 4
DEFAULT_DARBOUX = 2
MOST_IN_CLASSES = 1_500_000  # monomials, where classes make them many small problems
_FEW_MONOMIALS = 300
_MOST_ENTRIES = 2**23  # of one matrix term: its samples take half a GiB
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


@dataclass(frozen=True)
class _Searches:
    """One search for polynomials by classes for each time factor."""

    searches: tuple[tuple[TimeFactor, Search], ...]

    @property
    def statement(self) -> str:
        return ", ".join(dict.fromkeys(search.statement for _, search in self.searches))


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
    collected = Collected(generator, places, seed, deadline, symmetries)
    searched: list[str] = []
    if upper > 0 and not deadline.passed:
        for name, found in _stages(generator, places[0], where, seed, deadline, symmetries):
            if isinstance(found, _Searches):
                for factor, search in found.searches:
                    if collected.rank < upper:
                        collected.take_polynomials(search, factor, upper)
                name = found.statement
            else:
                collected.take(found, upper)
            searched.append(name)
            if collected.rank >= upper or deadline.passed:
                break
    return _finished(collected, searched)


def _stages(
    generator: Generator,
    place: ModularPoint,
    where: Where,
    seed: int,
    deadline: Deadline,
    symmetries: Symmetries,
) -> Iterator[tuple[str, list[Expr] | _Searches]]:
    """Names of dictionaries and the candidates found in them, cheap ones first."""
    flow = generator.flow
    factors = time_factors(flow)
    degrees = range(_CONSTANT_DEGREE + 1) if flow.symbolic_constants else range(1)
    if where.matrix and flow.dimension > _SMALL:
        yield SEARCHED, symmetries.laws()
    if where.matrix:
        own, large = _fitting(own_terms(flow))
        name = f"matrix forms but {large} very large" if large else "matrix forms"
        for degree in degrees:
            yield name, _matrix_stage(generator, own, factors, degree, seed)
        cross, _ = _fitting(cross_terms(flow))
        if cross:
            yield (
                "products of two parameters",
                _matrix_stage(generator, own + cross, factors, 0, seed),
            )
        split, _ = _fitting(split_terms(flow))
        if split:
            yield "split axes", _matrix_stage(generator, own + split, factors, 0, seed)
        yield "blocks of matrix forms", _block_stage(generator, own + cross + split, factors, seed)
        if flow.order == 1:
            yield "quotients of minors", quotients(generator, Factors(tuple(minors(flow))), 0, seed)
    functions = entries_of(scalar_functions(flow)) if where.functions else []
    highest = highest_degree(flow, where.degree)
    classes = _Classes(generator, place, factors, where, seed, deadline)
    for k in range(1, max(where.degree, _BEFORE_DARBOUX) + 1):
        searches = classes.searches(k) if k <= where.degree else None
        for degree in degrees if k <= where.degree else ():
            name = f"polynomials of degree {k}"
            own = k == 1 and functions and k <= highest  # functions are sought beside monomials
            if searches is not None and not degree and not own:
                yield name, searches
            elif k <= highest:
                chosen = functions if k == 1 else []
                yield name, _scalar_stage(generator, k, chosen, factors, degree, seed)
        if k == _BEFORE_DARBOUX and where.darboux:
            most = MOST_ASKED if where.asked else MOST_UNKNOWNS
            invariant = darboux_factors(generator, where.darboux, seed, deadline, most)
            for degree in degrees:
                name = f"quotients of invariant polynomials of degree {where.darboux}"
                yield name, quotients(generator, invariant, degree, seed)


class _Classes:
    """Searches by classes, where there are many monomials; the symmetries are found when first needed."""

    def __init__(
        self,
        generator: Generator,
        place: ModularPoint,
        factors: list[TimeFactor],
        where: Where,
        seed: int,
        deadline: Deadline,
    ):
        self._generator, self._place, self._factors = generator, place, factors
        self._work = MOST_WORK if where.asked else DEFAULT_WORK
        self._seed, self._deadline = seed, deadline
        self._symmetries: list[FieldSymmetries | None] | None = None

    def searches(self, degree: int) -> _Searches | None:
        """None where there are few monomials, too many, or the field is no polynomial."""
        count = number_of_monomials(len(coordinate_positions(self._generator.flow)), degree)
        if not _FEW_MONOMIALS < count <= MOST_IN_CLASSES:
            return None
        if self._symmetries is None:
            self._symmetries = [
                FieldSymmetries.of(self._generator, self._place, f.rate, self._seed, self._deadline)
                for f in self._factors
            ]
        searches = [
            (f, Search(s, degree, self._work, self._deadline))
            for f, s in zip(self._factors, self._symmetries, strict=True)
            if s is not None
        ]
        return _Searches(tuple(searches)) if len(searches) == len(self._factors) else None


def _fitting(terms: list[Expr]) -> tuple[list[Expr], int]:
    """Terms whose samples fit into memory, and how many do not."""
    kept = [t for t in terms if prod(t.shape) <= _MOST_ENTRIES]
    return kept, len(terms) - len(kept)


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


def _finished(collected: Collected, searched: list[str]) -> LawSet:
    """Order laws by the parameters they begin with, count increments."""
    flow = collected.generator.flow
    kept = collected.without_redundant()
    order = {b.leaf.name: k for k, b in enumerate(flow.parameters)}  # type: ignore[union-attr]
    kept.sort(key=lambda held: (_first_parameters(held.law, order), print_expr(held.law)))
    laws: list[Law] = []
    span = collected.empty()
    proved = 0
    for held in kept:
        before = span.rank
        span.add(held.rows)
        added = span.rank - before
        independent = linalg.rank(held.rows, span.prime)
        verdict, why = held.judgement.verdict, symmetry_of(held.law, flow)
        reason = held.judgement.reason
        laws.append(Law(held.law, flow, verdict, independent, added, why, reason))
        proved += added if verdict == "proved" else 0
    names = list(dict.fromkeys(searched))
    return LawSet(tuple(laws), proved, ", ".join(names))


def _first_parameters(law: Expr, order: dict[str, int]) -> tuple[int, ...]:
    names = [getattr(n, "name", None) for n in walk(law)]
    return tuple(sorted({order[n] for n in names if n in order}))
