"""A model as mathematics: parameters, map, metric, flow, each an equation."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from geoflow.exhibits import Equation, Math
from geoflow.expr.mathml import (
    applied,
    expr_math,
    fenced,
    identifier,
    listed,
    low,
    name_math,
    number_math,
    operator,
    row,
    up,
)
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Expr, Number, Shape
from geoflow.semantics.model import MetricBlock, Model, Potential

_THETA, _PHI, _J, _A, _G = (identifier(letter) for letter in "θφJag")
_EQUALS, _PLUS, _MINUS, _IN, _COMMA = (operator(sign) for sign in "=+−∈,")
_T = operator("⊤")


def equations(model: Model) -> tuple[Equation, ...]:
    """All lines, in the order in which they are read."""
    return tuple(_lines(model))


def _lines(model: Model) -> Iterator[Equation]:
    for c in model.constants:
        value = Math("mtext", "symbolic") if c.value is None else number_math(c.value)
        sign = operator(":") if c.value is None else _EQUALS
        yield Equation("constant", row(name_math(c.name), sign, value))
    positive = {p.name for p in model.parameters if p.sign == "positive"}
    yield Equation(
        "parameters" if model.maps else "state",
        _members([(p.name, p.shape) for p in model.parameters], positive),
    )
    if model.inputs:
        yield Equation("data", _members([(x.name, x.shape) for x in model.inputs]))
    if model.controls:
        yield Equation("controls", _members(list(model.controls)))
    for field in model.fields:
        yield _equation("flow", _dotted(name_math(field.parameter)), field.expression)
    if model.maps:
        yield from _trained(model)


def _trained(model: Model) -> Iterator[Equation]:
    left = applied(_PHI, _THETA)
    if model.network:
        data = listed([name_math(x.name) for x in model.inputs])
        left = row(low(_G, _THETA), operator("\u2061"), fenced(data))
    inner = [expr_math(m) for m in model.maps]
    formulas = [each for each in inner if each is not None]
    whole = None
    if len(formulas) == len(inner):
        right = formulas[0] if len(formulas) == 1 else fenced(listed(formulas))
        whole = row(left, _EQUALS, right)
    name = "network" if model.network else "map"
    yield Equation(name, whole, "" if whole else f"φ = {model.map_text}")
    for block in model.metrics:
        yield _metric(block, alone=len(model.metrics) == 1)
    yield from _flow(model)


def _equation(what: str, left: Math, right: Expr) -> Equation:
    formula = expr_math(right)
    if formula is None:
        return Equation(what, None, print_expr(right))
    return Equation(what, row(left, _EQUALS, formula))


def _dotted(name: Math, dots: str = "˙") -> Math:
    return Math("mover", (name, operator(dots)))


def _reals(shape: Shape, positive: bool) -> Math:
    sizes = [part for n in shape for part in (operator("×"), Math("mn", str(n)))][1:]
    base = identifier("ℝ")
    if positive:
        base = low(base, row(operator(">"), Math("mn", "0")))
    return up(base, row(*sizes)) if sizes else base


def _members(
    items: list[tuple[str, Shape]], positive: set[str] | frozenset[str] = frozenset()
) -> Math:
    """`U ∈ ℝ⁴ˣ³, V ∈ ℝ⁵ˣ³`; neighbours in one space share it."""
    groups: list[tuple[list[str], Shape, bool]] = []
    for name, shape in items:
        if groups and groups[-1][1:] == (shape, name in positive):
            groups[-1][0].append(name)
        else:
            groups.append(([name], shape, name in positive))
    return listed(
        [
            row(listed([name_math(n) for n in names]), _IN, _reals(shape, sign))
            for names, shape, sign in groups
        ]
    )


# ---------------------------------------------------------------- metric


def _metric(block: MetricBlock, alone: bool) -> Equation:
    m = identifier("M")
    if not alone:
        m = low(m, listed([name_math(n) for n in block.parameters]))
    what = "metric" if alone else f"metric on {', '.join(block.parameters)}"
    options = block.options
    match block.kind:
        case "euclidean":
            return Equation(what, row(m, _EQUALS, identifier("I")))
        case "scaled":
            rate = options["rate"]
            assert isinstance(rate, Expr)
            return _equation(what, up(m, number_math(Fraction(-1))), rate)
        case "riemannian":
            matrix = options["matrix"]
            assert isinstance(matrix, Expr)
            return _equation(what, m, matrix)
        case "mirror":
            return _mirror(what, m, options)
        case "fisher":
            return _fisher(what, m, options, block.text)
        case _:
            return Equation(what, None, block.text)


def _mirror(what: str, m: Math, options: dict[str, object]) -> Equation:
    """M = ∇²ψ, with ψ of one entry."""
    hessian = row(m, _EQUALS, up(operator("∇"), Math("mn", "2")), identifier("ψ"), _COMMA)
    potential, u = options["potential"], identifier("u")
    log = applied(Math("upright", "log"), u)
    if isinstance(potential, Potential):
        body = expr_math(potential.body)
        u = name_math(potential.variable.name)
    elif potential == "entropy":
        body = row(u, operator("\u2062"), log, _MINUS, u)
    elif potential == "log_barrier":
        body = row(_MINUS, log)
    else:
        exponent = options["p"]
        assert isinstance(exponent, Fraction)
        body = up(u, number_math(exponent))
    if body is None:
        return Equation(what, None, "mirror")
    return Equation(what, row(hessian, applied(identifier("ψ"), u), _EQUALS, body))


def _fisher(what: str, m: Math, options: dict[str, object], text: str) -> Equation:
    fisher = row(up(_J, _T), identifier("F"), _J)
    kind = options.get("kind")
    if kind != "full":
        name = "blockdiag" if kind == "blocks" else "diag"
        fisher = applied(Math("upright", name), fisher)
    damping = options.get("damping")
    formula = row(m, _EQUALS, fisher)
    if isinstance(damping, Expr):
        strength = expr_math(damping)
        if strength is None:
            return Equation(what, None, text)
        formula = row(formula, _PLUS, strength, operator("\u2062"), identifier("I"))
    return Equation(what, formula, f"Fisher information, {options.get('output')} output")


# ---------------------------------------------------------------- flow


def _flow(model: Model) -> Iterator[Equation]:
    g, m, w = _G, identifier("m"), identifier("w")
    moment = _ratio(row(up(g, Math("mn", "2")), _MINUS, up(w, Math("mn", "2"))), w)
    match model.flow_kind:
        case "adam":
            yield _step(m, _option(model, "b1"), fenced(row(g, _MINUS, m)))
            yield Equation("", row(_dotted(_THETA), _EQUALS, Math("mfrac", (m, w))))
            yield Equation("", row(_dotted(w), _EQUALS, _option(model, "b2"), moment))
        case "rmsprop":
            yield Equation("flow", row(_dotted(_THETA), _EQUALS, Math("mfrac", (g, w))))
            yield Equation("", row(_dotted(w), _EQUALS, _option(model, "b2"), moment))
        case "sign":
            power = model.flow_options["power"]
            assert isinstance(power, int)
            size = up(fenced(g, "|", "|"), Math("mn", str(power)))
            parts = [applied(Math("upright", "sgn"), g), *([size] if power else [])]
            yield Equation("flow", row(_dotted(_THETA), _EQUALS, *parts))
        case "order":
            yield from _ordered(model)
            yield Equation("where", row(*_cotangent(model), _COMMA, *_jacobian(model)))
            return
    gradient = row(g, _EQUALS, up(_J, _T), _A, _COMMA)
    yield Equation("where", row(gradient, *_cotangent(model), _COMMA, *_jacobian(model)))


def _ratio(above: Math, w: Math) -> Math:
    return Math("mfrac", (above, row(Math("mn", "2"), operator("\u2062"), w)))


def _step(left: Math, rate: Math, right: Math) -> Equation:
    return Equation("flow", row(_dotted(left), _EQUALS, rate, operator("\u2062"), right))


def _option(model: Model, name: str) -> Math:
    value = model.flow_options[name]
    assert isinstance(value, Expr)
    formula = expr_math(value)
    return formula if formula is not None else identifier(name)


def _ordered(model: Model) -> Iterator[Equation]:
    """θ̇ = M⁻¹Jᵀa or θ̈ + τθ̇ = M⁻¹Jᵀa, and the decay where it pulls."""
    pull = row(identifier("c"), operator("\u2062"), _THETA)
    coupled = bool(model.decay) and model.decay[0].coupled
    decoupled = bool(model.decay) and not coupled
    force = row(up(_J, _T), _A)
    if coupled:
        force = fenced(row(force, _MINUS, pull))
    force = row(*_inverse_metric(model), force)
    velocity = identifier("v")
    if model.damping is None:
        right = row(force, _MINUS, pull) if decoupled else force
        yield Equation("flow", row(_dotted(_THETA), _EQUALS, right))
    elif decoupled:
        yield Equation("flow", row(_dotted(_THETA), _EQUALS, velocity, _MINUS, pull))
        friction = _friction(model.damping, velocity)
        right = row(force, _MINUS, friction) if friction else force
        yield Equation("", row(_dotted(velocity), _EQUALS, right))
    else:
        left, friction = _dotted(_THETA, "¨"), _friction(model.damping, _dotted(_THETA))
        left = row(left, _PLUS, friction) if friction else left
        yield Equation("flow", row(left, _EQUALS, force))
    for decay in model.decay:
        names = listed([name_math(name) for name in decay.parameters])
        kind = "coupled: part of the loss" if decay.coupled else "decoupled"
        line = _equation("weight decay", low(identifier("c"), names), decay.rate)
        yield Equation(line.what, line.math, f"{line.text} {kind}".strip())


def _inverse_metric(model: Model) -> tuple[Math, ...]:
    if all(block.kind == "euclidean" for block in model.metrics):
        return ()
    inverse = number_math(Fraction(-1))
    if not model.accelerated:
        return (up(identifier("M"), inverse),)
    tau = identifier("τ") if model.damping is None else _strength(model.damping)
    place = row(tau, operator("\u2062"), _THETA, _PLUS, _dotted(_THETA))
    return (up(applied(identifier("M"), place), inverse),)


def _friction(damping: Expr, velocity: Math) -> Math | None:
    """τ·v; None where there is no friction."""
    if isinstance(damping, Number) and damping.value == 0:
        return None
    return row(_strength(damping), operator("\u2062"), velocity)


def _strength(damping: Expr) -> Math:
    formula = expr_math(damping) or identifier("τ")
    return fenced(formula) if formula.tag == "mrow" else formula


def _cotangent(model: Model) -> tuple[Math, ...]:
    free = {
        "any": "any loss",
        "cross_entropy": "cross-entropy",
        "data": f"any loss on {model.loss_points} data points",
    }[model.loss]
    point = low(_G, _THETA) if model.network else applied(_PHI, _THETA)
    slope = row(_MINUS, operator("∇"), identifier("f"), fenced(point))
    return (_A, _EQUALS, slope, Math("mtext", f"\u2003({free})"))


def _jacobian(model: Model) -> tuple[Math, ...]:
    map_ = low(_G, _THETA) if model.network else _PHI
    above = row(operator("∂"), map_)
    return (_J, _EQUALS, Math("mfrac", (above, row(operator("∂"), _THETA))))
