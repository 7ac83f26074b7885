"""Count, find and judge: what a flow conserves, with the evidence. `pipeline` and the Python API both start here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from geoflow.composition import Times, in_words, of_certificates, of_counts, of_facts
from geoflow.deadline import Deadline
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.exact.radicals import has_roots
from geoflow.expr.rename import renamed
from geoflow.expr.tree import Expr, Parameter, depends_on_time, walk
from geoflow.flow import Flow
from geoflow.laws.identity import doubtful
from geoflow.laws.independence import Gradients, gradients
from geoflow.laws.law import Law
from geoflow.laws.search import LawSet, Where, find_laws
from geoflow.laws.structural import Peeled, is_large, measured
from geoflow.laws.symmetry import symmetry_of
from geoflow.lie.bracket import Generator
from geoflow.lie.closure import Closure, close
from geoflow.lie.facts import Facts, facts
from geoflow.lie.point import ModularPoint, draw_point
from geoflow.memory import MOST_MEMORY
from geoflow.results import Certificate, LawCount, SummandRank, Verdict
from geoflow.structure.directsum import Summand, summands
from geoflow.structure.symmetries import Symmetries

_WORTH = 60  # coordinates beyond which a direct sum is taken apart


@dataclass(frozen=True)
class Part:
    """A summand of a direct sum, and what was computed of the first one with the same program."""

    summand: Summand
    first: Counted
    first_names: tuple[str, ...]

    @property
    def new_names(self) -> dict[str, str]:
        """The parameters of this summand by those of the first."""
        return dict(zip(self.first_names, self.summand.names, strict=True))

    @cached_property
    def counted(self) -> Counted:
        """What holds of the first summand, in the parameters of this one."""
        if self.first_names == self.summand.names:
            return self.first
        names, flow = self.new_names, self.summand.flow

        def moved(place: ModularPoint) -> ModularPoint:
            return replace(
                place,
                point={names[n]: v for n, v in place.point.items()},
                whole={names[n]: v for n, v in place.whole.items()},
            )

        places = tuple(map(moved, self.first.places))
        closure = replace(self.first.closure, point=moved(self.first.closure.point))
        return Counted(flow, Generator.of(flow), closure, places, self.first.seed)


@dataclass(frozen=True)
class Counted:
    """A flow with its closure and the points at which identities are tested. `parts`: of a direct sum."""

    flow: Flow
    generator: Generator
    closure: Closure
    places: tuple[ModularPoint, ...]
    seed: int
    parts: tuple[Part, ...] = ()

    def home(self, law: Expr) -> Counted:
        """The summand that a law is of; the whole where it is of several."""
        names = {n.name for n in walk(law) if isinstance(n, Parameter)}
        for part in self.parts:
            if names and names <= set(part.summand.names):
                return part.counted
        return self

    @property
    def certificate(self) -> Certificate:
        """The evidence for the upper bound."""
        return self.closure.certificate

    @cached_property
    def symmetries(self) -> Symmetries:
        """What the program of φ shows of its laws."""

        def apart(law: Expr) -> Symmetries | None:
            home = self.home(law)
            return None if home is self else home.symmetries

        return replace(Symmetries.of(self.flow), apart=apart)

    @property
    def upper(self) -> int:
        """N − rank: a proved upper bound of the number of laws."""
        return self.certificate.dimension - self.certificate.rank


@dataclass(frozen=True)
class Analysis:
    """Everything found of a flow."""

    flow: Flow
    count: LawCount
    laws: tuple[Law, ...]
    certificate: Certificate
    facts: dict[str, int | bool | None]
    facts_status: dict[str, Verdict]
    assumes: tuple[str, ...]
    searched: str
    seed: int = field(default=0)

    def __str__(self) -> str:
        """The count, and a law a line."""
        count = self.count
        number = (
            f"{count.upper}" if count.lower == count.upper else f"{count.lower} to {count.upper}"
        )
        of = " of the path-lifting" if count.of == "path-lifting" else ""
        head = f"{number} independent laws{of}, {count.status}"
        return "\n".join(
            [head, *(f"  {law}  ({law.independent} independent)" for law in self.laws)]
        )

    def _repr_html_(self) -> str:
        from geoflow.notebook import analysis_html

        return analysis_html(self)


def count(
    flow: Flow, seed: int = 0, deadline: Deadline = Deadline(), memory: int = MOST_MEMORY
) -> Counted:
    """The closure of a flow's Lie algebra. `memory` bounds a row space, in bytes.

    Raises:
        UnluckyPoint: the flow is not defined at any point tried.
        UnsupportedPrimitive: φ or the metric uses a JAX primitive without an exact rule.
        TooManyCoordinates: dense elimination would take more than `memory`.
        ValueError: φ depends on no parameter.
    """
    flow.unseen_parameters()
    apart = summands(flow) if flow.dimension > _WORTH else ()
    if apart:
        try:
            return _of_parts(flow, apart, seed, deadline, memory)
        except UnsupportedPrimitive:  # gates of a summand that reads no data, which the whole has
            pass
    generator = Generator.of(flow)
    closure = close(generator, seed, deadline, memory=memory)
    rng = np.random.default_rng([seed, 0x706C61])
    # with square roots verdicts are for the open set of the first point
    near = closure.point if has_roots(generator.program) and not generator.estimated else None
    places = (closure.point, draw_point(generator, rng, near=near))
    return Counted(flow, generator, closure, places, seed)


def _of_parts(
    flow: Flow, apart: Sequence[Summand], seed: int, deadline: Deadline, memory: int
) -> Counted:
    """A direct sum, each of its different summands counted once."""
    firsts = {k: count(s.flow, seed, deadline, memory) for k, s in enumerate(apart) if s.like == k}
    parts = tuple(Part(s, firsts[s.like], apart[s.like].names) for s in apart)
    ranks = []
    for k, first in firsts.items():
        number = sum(s.like == k for s in apart)
        certificate = first.certificate
        own = SummandRank(number, first.flow.parameter_count, certificate.rank, apart[k].names)
        ranks.append((Times(number, certificate), own))
    generator = Generator.of(flow)
    rng = np.random.default_rng([seed, 0x73756D])
    first = draw_point(generator, rng)
    near = first if has_roots(generator.program) and not generator.estimated else None
    places = (first, draw_point(generator, rng, near=near))
    closure = Closure(of_certificates(ranks, seed), first)
    return Counted(flow, generator, closure, places, seed, parts)


def law_count(counted: Counted, proved: int) -> LawCount:
    """The count by the table of docs/method.md; `proved` independent laws hold identically. With gates it
    is that of the path-lifting."""
    found = _law_count(counted, proved)
    return replace(found, of="path-lifting") if counted.generator.program.gates else found


def _law_count(counted: Counted, proved: int) -> LawCount:
    certificate, upper = counted.certificate, counted.upper
    if certificate.closed_by and certificate.exact:
        return LawCount(upper, upper, "proved", reason=certificate.closed_by)
    exact = certificate.exact
    if proved == upper and exact:
        return LawCount(
            upper, upper, "proved", reason=f"{proved} independent laws hold identically"
        )
    if not certificate.complete:
        return LawCount(proved, upper, "bounded", reason=certificate.stopped, exact=exact)
    if certificate.rank < certificate.estimate:
        reason = (
            f"the estimate of the rank is {certificate.estimate}, balls prove {certificate.rank}"
        )
        return LawCount(proved, upper, "bounded", reason=reason)
    reason = f"the rank stagnates at {len(certificate.runs)} points over different primes"
    if not exact:
        reason = "; ".join((reason, *(counted.flow.doubts or ("it is only estimated",))))
    return LawCount(proved, upper, "probable", certificate.error_bound, reason, exact)


def analyze(
    flow: Flow,
    seed: int = 0,
    where: Where = Where(),
    deadline: Deadline = Deadline(),
    stage: Callable[[str], None] = lambda _: None,
    memory: int = MOST_MEMORY,
) -> Analysis:
    """Count the laws of a flow, find them, and prove them.

    Raises:
        UnluckyPoint, UnsupportedPrimitive: as `count`.
    """
    stage("counting")
    counted = count(flow, seed, deadline, memory)
    stage("searching laws")
    found = search(counted, where, deadline)
    return conclude(counted, found)


def search(counted: Counted, where: Where = Where(), deadline: Deadline = Deadline()) -> LawSet:
    """The laws of a counted flow in the dictionaries of `where`; of a direct sum, those of its different summands."""
    if counted.parts:
        return _search_parts(counted, where, deadline)
    return find_laws(
        counted.generator,
        counted.places,
        counted.upper,
        where,
        counted.seed,
        deadline,
        counted.symmetries,
    )


def _search_parts(counted: Counted, where: Where, deadline: Deadline) -> LawSet:
    found: dict[int, LawSet] = {}
    laws: list[Law] = []
    for part in counted.parts:
        k = part.summand.like
        if k not in found:
            found[k] = search(part.first, where, deadline)
        for law in found[k].laws:
            own = renamed(law.expression, part.new_names)
            why = symmetry_of(own, part.summand.flow, known=True) if law.symmetry else ""
            laws.append(replace(law, expression=own, flow=counted.flow, symmetry=why))
    total = sum(found[part.summand.like].independent for part in counted.parts)
    searched = dict.fromkeys(
        name for f in found.values() for name in f.searched.split(", ") if name
    )
    return LawSet(tuple(laws), total, ", ".join(searched))


def conclude(counted: Counted, found: LawSet) -> Analysis:
    """Count, facts and assumptions, given the laws."""
    if counted.parts:
        total, properties = _of_summands(counted, found)
    else:
        total = law_count(counted, found.independent)
        exact = total.status == "proved"
        properties = facts(counted.generator, counted.closure, exact, counted.seed)
    status: dict[str, Verdict] = dict(properties.status)
    if counted.flow.doubts:
        status = {name: doubtful(verdict) for name, verdict in status.items()}
    return Analysis(
        counted.flow,
        total,
        found.laws,
        counted.certificate,
        dict(properties.values),
        status,
        assumptions(counted),
        found.searched,
        counted.seed,
    )


def _of_summands(counted: Counted, found: LawSet) -> tuple[LawCount, Facts]:
    """Counts and facts of the different summands, with the laws that are of one of their copies alone."""
    counts, properties = [], []
    for k, part in enumerate(counted.parts):
        names = set(part.summand.names)
        own = [
            law
            for law in found.laws
            if law.status == "proved"
            and {n.name for n in walk(law.expression) if isinstance(n, Parameter)} <= names
        ]
        counts.append(Times(1, law_count(part.first, independent(part.counted, own))))
        if part.summand.like == k:
            number = sum(p.summand.like == k for p in counted.parts)
            exact = counts[-1].of.status == "proved"
            first = part.first
            own_facts = facts(first.generator, first.closure, exact, first.seed)
            properties.append(Times(number, own_facts))
    said = in_words(counted.certificate.summands)
    return of_counts(counts, said), of_facts(properties)


def assumptions(counted: Counted) -> tuple[str, ...]:
    """What every verdict on this flow takes for granted."""
    said = [counted.flow.parametrization.loss.text] if counted.flow.parametrization.outputs else []
    generator = counted.generator
    rooted = has_roots(generator.program) and not generator.estimated
    if generator.program.gates:
        said.append("the path-lifting: gates of piecewise functions are free")
    if generator.estimated and not counted.certificate.exact:
        said.append("the rank is an estimate: values of functions are random numbers mod p")
    # a root of a square is a modulus, also in networks: functions with roots are no single analytic one
    open_set = has_roots(generator.program)
    said.append(
        "on an open set with the point of the certificate" if open_set else "a generic point"
    )
    if counted.flow.symbolic_constants:
        names = ", ".join(counted.flow.symbolic_constants)
        if rooted:
            values = {n: int(v.ravel()[0]) for n, v in counted.places[0].symbolic.items()}
            shown = ", ".join(f"{n} = {v}" for n, v in values.items())
            said.append(f"with {names} in an open set that holds {shown}")
        else:
            said.append(f"with {names} outside a proper algebraic set of values")
    said += generator.program.assumed()
    said += [*counted.flow.doubts, *counted.flow.provisos]
    said += counted.flow.dynamics.assumptions(counted.flow.parametrization)
    if counted.flow.damping is not None and depends_on_time(counted.flow.damping):
        said.append("for t > 0")
    dyadic = (v for v in counted.flow.constants.values() if v is not None)
    floats = {
        float(v)
        for v in dyadic
        if v.denominator & (v.denominator - 1) == 0 and Fraction(repr(float(v))) != v
    }
    rounded = tuple(sorted({*counted.generator.program.rounded_literals(), *floats}))
    if rounded:
        shown = ", ".join(repr(x) for x in rounded[:4]) + (", …" if len(rounded) > 4 else "")
        said.append(f"with the floats {shown} taken as the binary fractions they are")
    return tuple(said)


def measure(counted: Counted, laws: Sequence[Law], place: int = 0) -> Gradients | Peeled:
    """The gradients of laws at one of the points; how many are independent where there are too many coordinates."""
    if is_large(counted.flow):
        return _measured_apart(counted, laws, place)
    return gradients(counted.flow, laws, counted.places[place])


def _measured_apart(counted: Counted, laws: Sequence[Law], place: int) -> Peeled:
    """Of a direct sum, summand by summand where no law is of several."""
    homes = [counted.home(law.expression) for law in laws]
    if not counted.parts or any(home is counted for home in homes):
        return measured(laws)
    found = []
    for home in {id(h): h for h in homes}.values():
        own = [law for law, h in zip(laws, homes, strict=True) if h is home]
        found.append(measure(home, own, place))
    left_out = tuple(law for f in found for law in f.left_out)
    return Peeled(sum(f.rank for f in found), sum(f.most for f in found), left_out)


def independent(counted: Counted, laws: Sequence[Law]) -> int:
    """A proved number of independent entries of laws: the rank of their gradients at one point."""
    return measure(counted, laws).rank


__all__ = [
    "Analysis",
    "Counted",
    "Facts",
    "analyze",
    "assumptions",
    "conclude",
    "count",
    "law_count",
    "measure",
    "search",
]
