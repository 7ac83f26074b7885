"""Hand-built reports and diagnostics, one for each look a verdict can have."""

from __future__ import annotations

from dataclasses import replace

from geoflow.diagnostics import Diagnostic, Fix, Related, Source, Span
from geoflow.results import (
    Certificate,
    ClaimResult,
    FoundLaw,
    LawCount,
    ModelReport,
    RankRun,
    Report,
    Verification,
)

PRIME = 67108859


def span_of(source: Source, text: str, nth: int = 0) -> Span:
    """Where `text` stands in the source for the nth time."""
    start = -1
    for _ in range(nth + 1):
        start = source.text.index(text, start + 1)
    return Span(source, start, start + len(text))


BALANCE = FoundLaw(
    text="U.T @ U - V.T @ V",
    latex=r"U^{T} U - V^{T} V",
    sympy="U.T*U - V.T*V",
    independent=6,
    entries=6,
    kind="polynomial",
    status="proved",
    symmetry="U → U G, V → V G⁻ᵀ",
    drift=1.3e-10,
)
CERTIFICATE = Certificate(
    dimension=27,
    runs=(
        RankRun(prime=PRIME, ranks=(18, 21, 21), words=30, point=(1, 2, 3)),
        RankRun(prime=67108837, ranks=(18, 21, 21), words=30, point=(4, 5, 6)),
    ),
    seed=0,
    degree=8,
    error_bound=2.5e-6,
)
VERIFICATION = Verification(
    max_drift=1.3e-10,
    moved=2.4,
    control_drift=0.7,
    trials=3,
    losses=("squared", "logistic"),
    tolerance=1e-6,
    method="Dopri8",
    drifts=(("U.T @ U - V.T @ V", 1.3e-10),),
)
LINEAR = ModelReport(
    file="examples/linear.geo",
    model="linear2",
    summary="φ = U @ V.T : 27 parameters → R⁴ˣ⁵, Euclidean, order 1",
    parameters=27,
    dimension=27,
    laws=LawCount(6, 6, "proved"),
    claims=(
        ClaimResult(
            kind="law",
            name="balance",
            text="U.T @ U - V.T @ V",
            verdict="proved",
            line=12,
            detail="6 independent entries",
            drift=1.3e-10,
        ),
        ClaimResult(
            kind="laws", text="expect laws = r*(r + 1)/2", verdict="proved", line=13, expected=6
        ),
        ClaimResult(kind="complete", text="expect complete", verdict="proved", line=14),
    ),
    found=(BALANCE,),
    certificate=CERTIFICATE,
    verify=VERIFICATION,
    facts={"involutive": False, "commuting": False, "depth": 1, "kernel": 9},
    facts_status={
        "involutive": "proved",
        "commuting": "proved",
        "depth": "probable",
        "kernel": "probable",
    },
    assumes=("every data set", "every loss", "a generic point"),
    notes=(),
    seed=0,
    prime=PRIME,
    seconds={"count": 0.05, "laws": 0.1},
)
UNVERIFIED = replace(
    LINEAR,
    verify=None,
    claims=tuple(replace(claim, drift=None) for claim in LINEAR.claims),
    found=(replace(BALANCE, drift=None),),
)
UNCLAIMED = replace(LINEAR, claims=())
MORE_THAN_FORMULAS = replace(
    LINEAR,
    model="subchain",
    file="examples/subchain.geo",
    summary="φ = C @ B @ A : 8 parameters → R²ˣ¹, Euclidean, order 1",
    laws=LawCount(7, 7, "proved"),
    claims=(
        ClaimResult(kind="laws", text="expect laws = 7", verdict="proved", line=9, expected=7),
    ),
    found=(replace(BALANCE, text="A @ A.T - B.T @ B", symmetry="", drift=None),),
    certificate=replace(CERTIFICATE, closed_by="φ is scalar and there is no drift"),
    verify=None,
)
PROBABLE = replace(
    UNVERIFIED,
    laws=LawCount(6, 7, "probable", error_bound=3e-15, reason="the rank stagnates"),
    claims=(
        UNVERIFIED.claims[0],
        ClaimResult(
            kind="laws",
            text="expect laws = 7",
            verdict="probable",
            line=13,
            expected=7,
            detail="at least 6 are proved",
        ),
    ),
)
BOUNDED = replace(
    UNVERIFIED,
    laws=LawCount(12, 15, "bounded", reason="the time ran out"),
    certificate=replace(CERTIFICATE, complete=False),
    claims=(
        ClaimResult(
            kind="laws",
            text="expect laws = 14",
            verdict="undecided",
            line=13,
            expected=14,
            detail="between 12 and 15",
        ),
    ),
    notes=("The search stopped after 10 s; --timeout 60 would go on.",),
)
REFUTED = replace(
    UNVERIFIED,
    claims=(
        ClaimResult(
            kind="law",
            name="wrong",
            text="U.T @ U + V.T @ V",
            verdict="refuted",
            line=12,
            detail="entry [0, 0] changes",
            witness=("at U = [[1, 0], [2, 1]], V = [[1, 1]]", "G_a h = 6, not 0"),
            hints=("did you mean `U.T @ U - V.T @ V`?",),
        ),
        ClaimResult(
            kind="laws",
            text="expect laws = 7",
            verdict="refuted",
            line=13,
            expected=7,
            detail="there are exactly 6",
        ),
        ClaimResult(
            kind="complete",
            text="expect complete",
            verdict="probably refuted",
            line=14,
            detail="1 law is missing",
            witness=("missed: U[0, 0]*V[0, 0]",),
        ),
        UNVERIFIED.claims[0],
    ),
)
DRIFTING = replace(
    LINEAR,
    verify=replace(
        VERIFICATION, max_drift=3.0e-3, failed=True, drifts=(("U.T @ U - V.T @ V", 3.0e-3),)
    ),
)
UNUSABLE = replace(
    LINEAR,
    claims=UNVERIFIED.claims,
    verify=replace(
        VERIFICATION,
        max_drift=float("nan"),
        moved=0.0,
        control_drift=float("inf"),
        usable=False,
        drifts=(),
        notes=("every trajectory left the domain within 0.01",),
    ),
)
MODELS = {
    "proved": LINEAR,
    "unverified": UNVERIFIED,
    "unclaimed": UNCLAIMED,
    "more_than_formulas": MORE_THAN_FORMULAS,
    "probable": PROBABLE,
    "bounded": BOUNDED,
    "refuted": REFUTED,
    "drifting": DRIFTING,
    "unusable": UNUSABLE,
}
EXIT_CODES = {"bounded": 1, "refuted": 1, "drifting": 1}


def report_of(*models: ModelReport, exit_code: int = 0) -> Report:
    """A report on models without diagnostics."""
    return Report(models=models, diagnostics=(), exit_code=exit_code, seconds=0.9)


REPORTS = {
    name: report_of(model, exit_code=EXIT_CODES.get(name, 0)) for name, model in MODELS.items()
}

SHAPES = Source(
    "examples/two_layer.geo",
    "# two layers\ndim n = 3, r = 2, m = 4\nparam U[n, r]\nparam V[m, r]\n\nmap Z = U @ V\n",
)
SHAPE_ERROR = Diagnostic(
    code="GEO0301",
    message="`U @ V` multiplies a 3×2 matrix by a 4×2 matrix.",
    span=span_of(SHAPES, "U @ V"),
    label="inner sizes r and m differ",
    related=(
        Related(span_of(SHAPES, "U[n, r]"), "3×2"),
        Related(span_of(SHAPES, "V[m, r]"), "4×2"),
    ),
    hints=("write `U @ V.T` for the 3×4 product.",),
    fix=Fix(span_of(SHAPES, "V", 1), "V.T"),
)
WIDE = Source("漢字.geo", "\tlet 漢字é = 漢字 + xyz\nmap phi = [\n  a,\n  b\n]\n")
LONG = Source("long.geo", "map phi = " + " + ".join(f"x{i}" for i in range(400)) + "\n")
HOSTILE = Source("evil\x1b[31m.geo", "let a\x1b[2J\u202e = 1\x00\n")
LIBRARY = Source("layers.geo", "dim k = 7\n")
DIAGNOSTICS = {
    "shapes": SHAPE_ERROR,
    "wide_and_tab": Diagnostic(
        "GEO0201",
        "`xyz` is not defined.",
        span_of(WIDE, "xyz"),
        label="unknown",
        related=(Related(span_of(WIDE, "漢字é"), "wide"),),
    ),
    "several_lines": Diagnostic(
        "GEO0305", "`phi` holds a list.", span_of(WIDE, "[\n  a,\n  b\n]"), label="a list"
    ),
    "long_line": Diagnostic("GEO0201", "`x200` is not defined.", span_of(LONG, "x200"), "here"),
    "long_line_start": Diagnostic("GEO0201", "`x0` is not defined.", span_of(LONG, "x0"), "here"),
    "long_line_end": Diagnostic("GEO0201", "`x399` is not defined.", span_of(LONG, "x399"), "here"),
    "end_of_file": Diagnostic(
        "GEO0101", "The text ends here.", Span(SHAPES, len(SHAPES.text), len(SHAPES.text)), "end"
    ),
    "no_place": Diagnostic(
        "GEO0103", "`nowhere.geo` does not exist.", hints=("check the path",), severity="error"
    ),
    "other_file": Diagnostic(
        "GEO0202",
        "`k` is defined twice.",
        span_of(SHAPES, "m = 4"),
        related=(Related(span_of(LIBRARY, "k = 7"), "first here"),),
        notes=("Both files are one scope. " * 8,),
        severity="warning",
    ),
    "hostile": Diagnostic(
        "GEO0101", "unexpected \x1b[2J\u202e", span_of(HOSTILE, "a\x1b[2J\u202e"), "\x07label"
    ),
}
ERRORS = Report((), tuple(DIAGNOSTICS.values()), exit_code=2, seconds=0.02)
