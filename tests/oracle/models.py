"""Seeded random models, each as a text and as a description for the oracle, with laws to judge."""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

import sympy

from .candidates import first_order, second_order
from .maps import BUILDERS, SMALL_BUILDERS, Sketch
from .metrics import FLAT_METRICS, METRICS, Metric
from .oracle import Description
from .terms import Term, exponential, named, number


@dataclass(frozen=True)
class Candidate:
    """A claimed law; whether it is one is the oracle's to say."""

    name: str
    term: Term


@dataclass(frozen=True)
class RandomModel:
    """One model in both forms."""

    seed: int
    text: str
    description: Description
    candidates: tuple[Candidate, ...]


def declarations(sketch: Sketch, metrics: dict[str, Metric]) -> list[str]:
    """The `param` and `map` lines."""
    lines = []
    for parameter in sketch.parameters:
        sizes = f"[{', '.join(map(str, parameter.shape))}]" if parameter.shape else ""
        sign = " > 0" if metrics[parameter.text].positive else ""
        lines.append(f"param {parameter.text}{sizes}{sign}")
    if len(sketch.maps) > 1 and sketch.source.random() < 0.5:
        return [*lines, f"map phi = [{', '.join(term.text for term in sketch.maps)}]"]
    return [*lines, *(f"map phi{i} = {term.text}" for i, term in enumerate(sketch.maps))]


def metric_lines(metrics: dict[str, Metric]) -> list[str]:
    """One line for each run of parameters with one metric."""
    runs = groupby(metrics.items(), key=lambda item: item[1].text)
    return [f"metric {text} on {', '.join(name for name, _ in run)}" for text, run in runs]


def draw(seed: int) -> RandomModel:
    """The model of a seed."""
    source = random.Random(f"model {seed}")
    order = 2 if source.random() < 0.35 else 1
    choice = FLAT_METRICS if order == 2 and source.random() < 0.7 else METRICS
    sketch = Sketch(source, order, limit=8 if order == 1 else 6 if choice is FLAT_METRICS else 4)
    source.choice(BUILDERS)(sketch)
    if sketch.room >= 2 and source.random() < 0.25:
        source.choice(SMALL_BUILDERS)(sketch)
    if sketch.room and source.random() < 0.05:
        sketch.parameter()
    shared = source.choice(choice) if source.random() < 0.6 else None
    metrics = {p.text: shared or source.choice(choice) for p in sketch.parameters}
    header, flow, damping = ["model drawn", ""], "flow order 1", Fraction(0)
    if order == 2:
        damping = Fraction(source.choice([0, 1, 2]), 2)
        rate = number(damping)
        if source.random() < 0.5:
            header.append(f"const tau = {damping}")
            rate = named("tau", damping)
        flow = f"flow order 2 damping {rate.text}"
        factor = exponential(rate) if damping else number(1)
        terms = second_order(sketch, metrics, factor, rate)
    else:
        terms = first_order(sketch, metrics)
    claims = tuple(Candidate(f"claim{i}", term) for i, term in enumerate(terms))
    lines = [
        *header,
        *declarations(sketch, metrics),
        *metric_lines(metrics),
        flow,
        *(f"law {claim.name} = {claim.term.text}" for claim in claims),
    ]
    return RandomModel(seed, "\n".join(lines) + "\n", describe(sketch, metrics, damping), claims)


def describe(sketch: Sketch, metrics: dict[str, Metric], damping: Fraction) -> Description:
    """The same model for the oracle."""
    return Description(
        parameters=tuple(x for p in sketch.parameters for x in p.flat()),
        phi=tuple(x for term in sketch.maps for x in term.flat()),
        inverse_metric=tuple(
            metrics[p.text].inverse(x) for p in sketch.parameters for x in p.flat()
        ),
        order=sketch.order,
        damping=sympy.Rational(damping.numerator, damping.denominator),
    )
