"""Pictures of a law kept beside a law lost, drawn from the models of the page itself.

`<!-- picture: kept = angular, lost = balance -->` stands below the models. `kept` names a law of the
nearest model above that is not marked as refused, `lost` one of the nearest that is. The build fails
unless geoflow proves the first and refutes the second, and unless the drifts along a trajectory say
the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

import numpy as np

from docsite.blocks import Block
from geoflow.analysis import count
from geoflow.claims import JudgedLaw, judge_laws, replace_constants
from geoflow.expr.tree import Constant, walk
from geoflow.laws.law import Law
from geoflow.lower import lower
from geoflow.report.figures import DriftLine, svg_of_drifts
from geoflow.results import Verdict
from geoflow.semantics import load_text
from geoflow.semantics.model import Model
from geoflow.verification import Experiment, symbolic_values
from geoflow.verification.laws import as_verified

SEED = 0
KEPT, LOST = 1e-6, 1e-3  # a law kept drifts less, a law lost drifts more

_PICTURE = re.compile(r"<!-- *picture: *kept *= *(?P<kept>\w+), *lost *= *(?P<lost>\w+) *-->")


class PictureRefused(ValueError):
    """The models of a page do not do what its picture is said to show."""


@dataclass(frozen=True)
class Picture:
    """A directive: the names of the two laws, and where it stands in the page."""

    kept: str
    lost: str
    start: int
    end: int


def pictures(text: str) -> tuple[Picture, ...]:
    """The directives of a page.

    Raises:
        PictureRefused: a directive that cannot be read.
    """
    found = tuple(
        Picture(m["kept"], m["lost"], m.start(), m.end()) for m in _PICTURE.finditer(text)
    )
    if len(found) != text.count("<!-- picture"):
        raise PictureRefused("a picture is `<!-- picture: kept = NAME, lost = NAME -->`")
    return found


def draw(picture: Picture, models: Sequence[Block]) -> str:
    """The picture as an HTML figure, from the `geo` blocks of its page.

    Raises:
        PictureRefused: no such law, another verdict, or another drift.
    """
    above = [block for block in reversed(models) if block.end <= picture.start]
    kept_model = _model_with(picture.kept, [b for b in above if not b.mark])
    lost_model = _model_with(picture.lost, [b for b in above if b.marked("refused")])
    kept = _drift(kept_model, picture.kept, "proved")
    lost = _drift(lost_model, picture.lost, "refuted")
    if kept.name == lost.name:
        kept = replace(kept, name=f"{kept.name} of {kept_model.name}")
        lost = replace(lost, name=f"{lost.name} of {lost_model.name}")
    if kept.largest >= KEPT:
        raise PictureRefused(f"{kept.name} is said to be kept and drifts by {kept.largest:.1e}")
    if lost.largest <= LOST:
        raise PictureRefused(f"{lost.name} is said to be lost and drifts by {lost.largest:.1e}")
    words = (
        f"{kept.name} is kept: it drifts by {kept.largest:.1e}. "
        f"{lost.name} is lost: it drifts by {lost.largest:.1e}."
    )
    svg = svg_of_drifts(kept, lost, KEPT)
    return f'<figure class="drifts" role="img" aria-label="{escape(words)}">\n{svg}\n</figure>'


def _model_with(name: str, candidates: Sequence[Block]) -> Model:
    for block in candidates:
        models, found = load_text(block.body, "page", {})
        if any(d.severity == "error" for d in found):
            raise PictureRefused(f"the model at line {block.line} is wrong: {found[0].message}")
        for model in models:
            if any(claim.name == name for claim in model.laws):
                return model
    raise PictureRefused(f"no model above the picture claims a law {name}")


def _drift(model: Model, name: str, verdict: Verdict) -> DriftLine:
    """The drift of a law along the first usable trajectory of the model's flow."""
    flow = lower(model, SEED)
    counted = count(flow, SEED)
    judged: JudgedLaw = next(j for j in judge_laws(model, counted) if j.claim.name == name)
    if judged.verdict != verdict:
        raise PictureRefused(f"{name} is {judged.verdict}, not {verdict}")
    values = {c.name: c.value for c in model.constants}
    expression = judged.claim.expression
    named = {n.name: values[n.name] for n in walk(expression) if isinstance(n, Constant)}
    law = Law(expression, replace_constants(counted, named), verdict, 0, 0)
    symbolic = symbolic_values(flow, SEED)
    experiment = Experiment(flow, [as_verified(law, symbolic)], model.verify, SEED, symbolic)
    curves = experiment.curves()
    if curves is None:
        raise PictureRefused(f"no trajectory of {model.name} can be used")
    (changes,) = curves.laws.values()
    return DriftLine(name, curves.times, np.max(np.abs(changes), axis=1))
