"""What a check returns: frozen, JSON-ready data. The words of the verdicts are those of docs/method.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from geoflow.diagnostics import Diagnostic
from geoflow.exhibits import Exhibit

Status = Literal["proved", "probable", "bounded"]
Verdict = Literal["proved", "probable", "probably refuted", "refuted", "undecided"]
HOLDS: tuple[Verdict, ...] = ("proved", "probable")


@dataclass(frozen=True)
class LawCount:
    """`lower` ≤ number of independent laws ≤ `upper`.

    `upper` is N minus a rank: a proved bound unless `status` is probable and the report's `assumes` says why.
    `lower` is the best proved lower bound. `status` proved: lower = upper. `error_bound`, where `status` is probable:
    the probability that the rank stagnates so where `upper` is not the count is at most this (`lie.chance`); None where
    there is no bound, 1 where it says nothing.
    """

    lower: int
    upper: int
    status: Status
    error_bound: float | None = None
    reason: str = ""
    exact: bool = True  # whether `upper` is a proved bound
    of: Literal["flow", "path-lifting"] = "flow"  # what is counted


@dataclass(frozen=True)
class AnchoredRows:
    """Sparse fields that a run began with: one for each parameter and some more (`generators`), and `brackets` of them.
    `peeled` pivots are seen from where the entries are, `core` is what rows and columns were left to eliminate."""

    generators: int
    brackets: int
    peeled: int
    core: tuple[int, int]


@dataclass(frozen=True)
class RankRun:
    """One run of the closure: ranks by bracket depth at one point over one prime field; the last one alone where it
    began with sparse fields (`anchored`). `words` are random ones, of at most `letters` letters. That it stopped too
    early has a probability of at most `degree` / `sample`, the size of the set that numbers are drawn from (0: the
    point was given)."""

    prime: int
    ranks: tuple[int, ...]
    words: int
    point: tuple[int, ...] = field(repr=False)
    anchored: AnchoredRows | None = None
    letters: int = 0
    degree: int = 0
    sample: int = 0


@dataclass(frozen=True)
class BallRun:
    """A rank proved in ball arithmetic of so many bits, at a point of dyadic numbers."""

    rank: int
    precision: int
    point: tuple[float, ...] = field(repr=False)


@dataclass(frozen=True)
class SummandRank:
    """So many equal summands of a direct sum: the parameters and the rank of each, and the names of the first's."""

    count: int
    parameters: int
    rank: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class Certificate:
    """Evidence for the upper bound: dimension N of the state and the ranks found. Each run's rank is a proved lower
    bound of the generic rank (see docs/method.md), stagnation in all runs makes it probable. Where `estimated`, the
    runs mod p are only estimates, and the proof is `balls`."""

    dimension: int
    runs: tuple[RankRun, ...]
    seed: int
    degree: int
    error_bound: (
        float | None
    )  # None where the fields are no irreducible family, or the rank is an estimate
    closed_by: str = ""  # why the algebra is closed identically, where it is
    complete: bool = True  # false when the search ended before stagnation
    late: bool = False  # whether the time ran out
    estimated: bool = False
    balls: BallRun | None = None
    disagreeing: bool = False  # runs ended by themselves, and no two of them agree
    assumed: bool = False  # whether the fields take for granted what is only probable
    summands: tuple[
        SummandRank, ...
    ] = ()  # of a direct sum, each counted once; `runs` are then sums of theirs

    @property
    def ranks(self) -> tuple[int, ...]:
        """Ranks by depth of the best run."""
        return max(
            (run.ranks for run in self.runs), key=lambda r: (r[-1] if r else 0, -len(r)), default=()
        )

    @property
    def rank(self) -> int:
        """The greatest rank proved; where it is only estimated, the estimate."""
        return self.balls.rank if self.balls is not None else self.estimate

    @property
    def anchored(self) -> bool:
        """Whether the runs began with sparse fields; they then say nothing of ranks by depth."""
        return any(run.anchored is not None for run in self.runs)

    @property
    def stopped(self) -> str:
        """Why the search ended before the rank stagnated at two points, where it did."""
        if self.complete:
            return ""
        if self.late:
            return "the time ran out before the rank stagnated"
        if self.anchored:
            return "random fields leave the span of the sparse ones that were found, and are too many to add"
        if self.disagreeing:
            return "no two runs over different primes agree on the rank"
        return "the rank still grows at the greatest depth of brackets"

    @property
    def exact(self) -> bool:
        """Whether `rank` is proved."""
        return not self.assumed and (not self.estimated or self.balls is not None)

    @property
    def estimate(self) -> int:
        """The greatest rank found mod p."""
        return max((run.ranks[-1] for run in self.runs if run.ranks), default=0)


@dataclass(frozen=True)
class FoundLaw:
    """A law as it is shown. `independent`: how many independent laws its entries hold; `reason`: why there is no
    proof, if known."""

    text: str
    latex: str
    sympy: str
    independent: int
    entries: int
    kind: str  # "polynomial", "rational", "logarithmic", "time-dependent"
    status: Verdict
    symmetry: str = ""
    drift: float | None = None
    reason: str = ""
    claimed: bool = False  # a function of the laws that the file claims and that are proved


@dataclass(frozen=True)
class ClaimResult:
    """The verdict on one claim. `witness` lines can be checked by hand; `hints` say what holds instead."""

    kind: str
    text: str
    verdict: Verdict
    name: str | None = None
    line: int | None = None
    expected: int | None = None
    detail: str = ""
    witness: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    drift: float | None = None


@dataclass(frozen=True)
class VerifySettings:
    """`verify { … }`: how to integrate. `data` is the number of random data points."""

    losses: tuple[str, ...] = ("squared", "logistic")
    data: int = 32
    time: float = 2.0
    trials: int = 3
    tolerance: float = 1e-6


@dataclass(frozen=True)
class Collocation:
    """A quadratic law along a trajectory of the implicit midpoint rule, which keeps those of the flow at any step size:
    its relative drift at `step` and at half of it. `kept`: both are round-off."""

    law: str
    step: float
    drift: float
    halved: float
    kept: bool


@dataclass(frozen=True)
class Verification:
    """Trajectories integrated in float64: largest relative drift of a law, how far the state moved (relative to its
    norm), and the relative drift of a control function that is no law."""

    max_drift: float
    moved: float
    control_drift: float
    trials: int
    losses: tuple[str, ...]
    tolerance: float
    method: str
    start_time: float = 0.0
    notes: tuple[str, ...] = ()
    drifts: tuple[tuple[str, float], ...] = ()  # by law text
    failed: bool = (
        False  # a proved law drifted beyond the tolerance on a trajectory that was integrated well
    )
    usable: bool = True  # false: every run exploded, was too stiff or did not move
    end_time: float = 0.0  # up to which every run that was used is good
    collocation: tuple[Collocation, ...] = ()  # the quadratic laws


@dataclass(frozen=True)
class RealGates:
    """The count with real gates on an open set that contains `point` (integers by parameter): at most `upper` laws,
    N minus the last of `ranks` by depth. `switching` of `gates` take both values over the data there. `counts` are the
    upper bounds on all the open sets that were looked at."""

    upper: int
    ranks: tuple[int, ...]
    point: Mapping[str, object] = field(repr=False)
    switching: int
    gates: int
    counts: tuple[int, ...]


@dataclass(frozen=True)
class SpecialCount:
    """The orbit through a given point has a codimension between `lower` (the generic count) and `upper`
    (N minus the rank found there). `exact` is false for ranks found in floating point."""

    name: str
    ranks: tuple[int, ...]
    lower: int
    upper: int
    generic_rank: int
    exact: bool


@dataclass(frozen=True)
class ModelReport:
    """Everything `check` says of one model."""

    file: str
    model: str
    summary: str  # "φ = U @ V.T : 27 parameters → R⁴ˣ⁵, Euclidean, order 1"
    parameters: int
    dimension: int
    laws: LawCount
    claims: tuple[ClaimResult, ...]
    found: tuple[FoundLaw, ...]
    certificate: Certificate | None
    verify: Verification | None
    facts: dict[str, int | bool | None]
    facts_status: dict[str, Verdict]
    assumes: tuple[str, ...]
    notes: tuple[str, ...]
    seed: int
    prime: int | None
    seconds: dict[str, float]
    special: SpecialCount | None = None
    real_gates: RealGates | None = None
    exhibit: Exhibit | None = None
    document: Mapping[str, object] | None = field(default=None, repr=False)  # its certificate


@dataclass(frozen=True)
class Report:
    """The outcome of a call: one entry a model, and the diagnostics. Any error leaves `models` empty."""

    models: tuple[ModelReport, ...]
    diagnostics: tuple[Diagnostic, ...]
    exit_code: int
    seconds: float

    def _repr_html_(self) -> str:
        from geoflow.notebook import report_html

        return report_html(self)


@dataclass(frozen=True)
class ComparedFlow:
    """One column of a comparison."""

    name: str
    summary: str
    laws: LawCount


@dataclass(frozen=True)
class ComparedLaw:
    """One row: a law, and the verdict on it under every flow (None: it cannot be said there)."""

    text: str
    verdicts: tuple[Verdict | None, ...]


@dataclass(frozen=True)
class Comparison:
    """Which laws live in which flows."""

    flows: tuple[ComparedFlow, ...]
    laws: tuple[ComparedLaw, ...]
    left_out: tuple[str, ...] = ()  # standard flows that the parametrization does not have


@dataclass(frozen=True)
class CatalogEntry:
    """One model of a catalog. `formula` and `source` are those of its comments, `claimed` the texts of its laws,
    `report` what was found, where it was checked."""

    name: str
    file: str
    title: str
    network: str
    formula: str
    source: str
    claimed: tuple[str, ...]
    report: ModelReport | None = None


@dataclass(frozen=True)
class Catalog:
    """The entries in the order of their files. Any error leaves none."""

    entries: tuple[CatalogEntry, ...]
    diagnostics: tuple[Diagnostic, ...]
    exit_code: int
