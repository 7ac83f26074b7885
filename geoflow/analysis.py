"""Count, find and judge: what a flow conserves, with the evidence. `pipeline` and the Python API both start here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from geoflow.deadline import Deadline
from geoflow.exact.radicals import has_roots
from geoflow.expr.tree import depends_on_time
from geoflow.flow import Flow
from geoflow.laws.identity import doubtful
from geoflow.laws.independence import Gradients, gradients
from geoflow.laws.law import Law
from geoflow.laws.search import LawSet, Where, find_laws
from geoflow.lie.bracket import Generator
from geoflow.lie.closure import Closure, close
from geoflow.lie.facts import Facts, facts
from geoflow.lie.point import ModularPoint, draw_point
from geoflow.results import Certificate, LawCount, Verdict

MOST_SEARCHED = 20_000  # coordinates up to which laws are sought in dictionaries


@dataclass(frozen=True)
class Counted:
    """A flow with its closure and the points at which identities are tested."""

    flow: Flow
    generator: Generator
    closure: Closure
    places: tuple[ModularPoint, ...]
    seed: int

    @property
    def certificate(self) -> Certificate:
        """The evidence for the upper bound."""
        return self.closure.certificate

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


def count(flow: Flow, seed: int = 0, deadline: Deadline = Deadline()) -> Counted:
    """The closure of a flow's Lie algebra.

    Raises:
        UnluckyPoint: the flow is not defined at any point tried.
        UnsupportedPrimitive: φ or the metric uses a JAX primitive without an exact rule.
        ValueError: φ depends on no parameter.
    """
    flow.unseen_parameters()
    generator = Generator.of(flow)
    closure = close(generator, seed, deadline)
    rng = np.random.default_rng([seed, 0x706C61])
    # with square roots verdicts are for the open set of the first point
    near = closure.point if has_roots(generator.program) and not generator.estimated else None
    places = (closure.point, draw_point(generator, rng, near=near))
    return Counted(flow, generator, closure, places, seed)


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
) -> Analysis:
    """Count the laws of a flow, find them, and prove them.

    Raises:
        UnluckyPoint, UnsupportedPrimitive: as `count`.
    """
    stage("counting")
    counted = count(flow, seed, deadline)
    stage("searching laws")
    found = search(counted, where, deadline)
    return conclude(counted, found)


def search(counted: Counted, where: Where = Where(), deadline: Deadline = Deadline()) -> LawSet:
    """The laws of a counted flow in the dictionaries of `where`; none are tried for a very large state."""
    if counted.flow.dimension > MOST_SEARCHED:
        return LawSet((), 0, f"no dictionary: they are for at most {MOST_SEARCHED:,} coordinates")
    return find_laws(
        counted.generator, counted.places, counted.upper, where, counted.seed, deadline
    )


def conclude(counted: Counted, found: LawSet) -> Analysis:
    """Count, facts and assumptions, given the laws."""
    total = law_count(counted, found.independent)
    properties = facts(counted.generator, counted.closure, total.status == "proved", counted.seed)
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


def assumptions(counted: Counted) -> tuple[str, ...]:
    """What every verdict on this flow takes for granted."""
    said = [counted.flow.parametrization.loss.text] if counted.flow.parametrization.outputs else []
    generator = counted.generator
    rooted = has_roots(generator.program) and not generator.estimated
    if generator.program.gates:
        said.append("the path-lifting: gates of piecewise functions are free")
    if generator.estimated and not counted.certificate.exact:
        said.append("the rank is an estimate: values of functions are random numbers mod p")
    said.append("on an open set with the point of the certificate" if rooted else "a generic point")
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
        if v.denominator > 2**30 and v.denominator & (v.denominator - 1) == 0
    }
    rounded = tuple(sorted({*counted.generator.program.rounded_literals(), *floats}))
    if rounded:
        shown = ", ".join(repr(x) for x in rounded[:4]) + (", …" if len(rounded) > 4 else "")
        said.append(f"with the floats {shown} taken as the binary fractions they are")
    return tuple(said)


def measure(counted: Counted, laws: Sequence[Law], place: int = 0) -> Gradients:
    """The gradients of laws at one of the points."""
    return gradients(counted.flow, laws, counted.places[place])


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
