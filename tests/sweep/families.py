"""Families that the tests sweep, and how they are opened."""

from __future__ import annotations

from geoflow.semantics import load_text
from geoflow.semantics.model import Model
from geoflow.sweep.grid import Family, family

LINEAR = """\
model lin
dim n = 2, m = 1, r = 2
param U[n, r], V[m, r]
map phi = U @ V.T
"""
MOMENTUM = LINEAR + "flow order 2 damping 1\n"


def model(text: str, **given: str) -> Model:
    """The one model of a text."""
    models, diagnostics = load_text(text, "<test>", given)
    assert not diagnostics, diagnostics
    (found,) = models
    return found


def opened(text: str, over: dict[str, str] | None = None, **given: str) -> Family:
    """The family of a text."""
    return family(model(text, **given), over, given)
