"""Pages to look at: of ordinary models, and of one whose every text is hostile."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from geoflow.exhibiting import words_of
from geoflow.exhibits import Curves, DriftCurve, Equation, Exhibit, Math
from geoflow.options import CheckOptions
from geoflow.pipeline import check_text
from geoflow.report.web.document import Reproduction, report_page
from geoflow.report.web.family import sweep_page
from geoflow.results import ClaimResult, LawCount, Report
from geoflow.rows import Failure, Outcome, Row, RowClaim, SweepReport

from .samples import LINEAR, MODELS, VERIFICATION, report_of

AGAIN = Reproduction("geoflow report model.geo -o page.html", "1.0", 0)
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;{{ 7*7 }}"
RIGHT_TO_LEFT = "שלום مرحبا"
OVERRIDE = "\u202egnp.exe\u202c"
MODEL = """\
# two layers
model layers
dim n = 2
const tau = 1/2
param U[n, n], V[n, n]
map phi = U @ V.T
flow order 2 damping tau
law angular = exp(tau*t)*(U.T @ U' - U'.T @ U + V.T @ V' - V'.T @ V)
law wrong = sum(U**2)
verify { data gaussian(4); trials 1; time 1 }
"""


@cache
def real_report() -> Report:
    """A model with a law that holds and a claim that does not, checked and integrated."""
    return check_text(MODEL, "layers.geo", CheckOptions(exhibit=True))


@cache
def real_page() -> str:
    return report_page(real_report(), AGAIN)


def hostile_page() -> str:
    """Every text that a user can choose is an attack, right to left, or both."""
    text = f"{EVIL} {RIGHT_TO_LEFT} {OVERRIDE}"
    curves = Curves(
        text, (0.0, 1.0, 2.0), (DriftCurve(text, (0.0, 1e-9, 2e-9)),), (0.0, 0.2, 0.4), 1e-6
    )
    exhibit = Exhibit(
        source=words_of(f"# {text}\nlaw {text} = x\r\n\tparam {RIGHT_TO_LEFT}[2] # é\n"),
        equations=(
            Equation(text, Math("mrow", (Math("mi", text), Math("upright", text)))),
            Equation("map", None, text),
        ),
        formulas=((text, Math("mtext", text)),),
        curves=curves,
    )
    claim = ClaimResult(
        "law", text, "refuted", text, 2, detail=text, witness=(text,), hints=(text,)
    )
    law = replace(LINEAR.found[0], text=text, symmetry=text, reason=text)
    model = replace(
        LINEAR,
        file=text,
        model=text,
        summary=text,
        claims=(claim,),
        found=(law,),
        assumes=(text,),
        notes=(text,),
        laws=LawCount(1, 6, "bounded", reason=text),
        verify=replace(VERIFICATION, notes=(text,), losses=(text,), drifts=((text, 1.0),) * 2),
        exhibit=exhibit,
    )
    return report_page(
        report_of(model, model, exit_code=1), Reproduction(text, text, 0), title=text
    )


def index_page() -> str:
    """All looks of a verdict on one page; nothing but what a saved report holds."""
    return report_page(report_of(*MODELS.values(), exit_code=1), AGAIN)


def sweep_report() -> SweepReport:
    """Counts over three sizes: proved, probable, bounded, failed, wrong and left out."""
    rows = []
    for layers in (1, 2):
        for n in range(1, 4):
            for r in range(1, 5 - n):
                count = layers * r * (r + 1) // 2
                laws = LawCount(count, count, "proved" if n < 3 else "probable")
                rows.append(Row((("L", layers), ("n", n), ("r", r)), Outcome(laws)))
    first, second, third, *rest = rows
    claim = RowClaim("laws", f"expect {EVIL}", "refuted", 2, "there are 1")
    rows = [
        replace(first, outcome=Outcome(LawCount(1, 4, "bounded"))),
        replace(second, outcome=Outcome(None, failure=Failure("GEO0304", EVIL))),
        replace(third, outcome=replace(third.outcome, claims=(claim,))),
        *rest,
    ]
    return SweepReport(EVIL, EVIL, ("L", "n", "r"), tuple(rows), None, 0, 1.0, (EVIL,))


def family_page() -> str:
    return sweep_page(sweep_report(), replace(AGAIN, command=EVIL))


PAGES = {
    "real": real_page,
    "hostile": hostile_page,
    "index": index_page,
    "sweep": family_page,
}
