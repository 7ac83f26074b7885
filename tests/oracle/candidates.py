"""Laws to be judged: those that symmetries give, near misses, momenta and quadratic forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import reduce

from .maps import Rescaling, Sketch
from .metrics import FLAT_METRICS, Metric
from .terms import Term, number, product, total


def entry(sketch: Sketch, parameter: Term) -> Term:
    """A random entry of a parameter."""
    place = tuple(sketch.source.randrange(n) for n in parameter.shape)
    return parameter[place] if place else parameter


def whole(term: Term) -> Term:
    """The sum of all entries."""
    return total(term) if term.shape else term


def two_parameters(sketch: Sketch) -> tuple[Term, Term]:
    """Two parameters, distinct where there are two."""
    if len(sketch.parameters) == 1:
        return sketch.parameters[0], sketch.parameters[0]
    left, right = sketch.source.sample(sketch.parameters, 2)
    return left, right


def balance(rescaling: Rescaling, metrics: Mapping[str, Metric]) -> Term:
    """Σ w B(θ): kept at order 1 whatever the separable potential."""
    parts = []
    for parameter, weight, axis in rescaling.weights:
        part = metrics[parameter.text].balance(parameter)
        if axis is None:
            part = whole(part)
        elif axis >= 0:
            part = total(part, axis)
        parts.append((weight, part))
    return combination(parts)


def combination(parts: Sequence[tuple[Fraction, Term]]) -> Term:
    """Σ weight · term."""
    terms = [(w, term if abs(w) == 1 else number(abs(w)) * term) for w, term in parts]
    (weight, first), *rest = terms
    return reduce(
        lambda so_far, part: so_far + part[1] if part[0] > 0 else so_far - part[1],
        rest,
        first if weight > 0 else -first,
    )


def first_order(sketch: Sketch, metrics: Mapping[str, Metric]) -> list[Term]:
    """Candidates at order 1."""
    source = sketch.source
    result = [balance(rescaling, metrics) for rescaling in sketch.rescalings]
    for translation in sketch.translations:
        result.append(combination([(w, metrics[p.text].dual(p)) for p, w in translation]))
    result.extend(u.T @ u - v.T @ v for u, v in sketch.layers)
    p, q = two_parameters(sketch)
    x, y = entry(sketch, p), entry(sketch, q)
    result.append(metrics[p.text].balance(x) - metrics[q.text].balance(y))
    result.append(number(source.randint(1, 2)) * x**2 - number(source.randint(1, 3)) * y**2)
    result.append(whole(metrics[p.text].balance(p)) - whole(metrics[q.text].balance(q)))
    result.append(x * y - sketch.coefficient() * x**2 + y)
    if p is not q:
        result.append(x / y)
    return result


def second_order(
    sketch: Sketch, metrics: Mapping[str, Metric], factor: Term, damping: Term
) -> list[Term]:
    """Angular and linear momenta, with and without their time factor."""
    result = []
    for translation in sketch.translations:
        speeds = [(w, speed(p, metrics[p.text])) for p, w in translation]
        places = [(w, metrics[p.text].dual(p)) for p, w in translation]
        result.append(factor * combination(speeds))
        result.append(combination(speeds) + damping * combination(places))
    for u, v in sketch.layers:
        du, dv = u.dot, v.dot
        angular = u.T @ du - du.T @ u + v.T @ dv - dv.T @ v
        result.extend([factor * angular, angular])
    p, q = two_parameters(sketch)
    x, y = entry(sketch, p), entry(sketch, q)
    dx, dy = (entry_velocity(term, parameter) for term, parameter in ((x, p), (y, q)))
    result.append(factor * (x * dy - y * dx))
    result.append(factor * (dx - dy))
    result.append(damping * (x + sketch.coefficient() * y) + dx - dy)
    result.append(whole(p**2) + dx**2)
    for u, v in [*sketch.layers, (p, q)]:
        if len(u.shape) == len(v.shape) == 1 and u.shape == v.shape:
            spin = product(u, u.dot, "outer") - product(u.dot, u, "outer")
            result.append(factor * (spin + product(v, v.dot, "outer") - product(v.dot, v, "outer")))
    return result


def speed(parameter: Term, metric: Metric) -> Term:
    """The velocity, divided by the learning rate where there is one."""
    return metric.dual(parameter.dot) if metric in FLAT_METRICS else parameter.dot


def entry_velocity(term: Term, parameter: Term) -> Term:
    """The velocity of an entry: `U'[0, 1]` for `U[0, 1]`."""
    place = term.text.removeprefix(parameter.text)
    return Term(parameter.dot.text + place, term.dot.entries)
