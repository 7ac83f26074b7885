"""The vector fields of a model, from the equations of docs/language.md and the flows' pages, in SymPy.

Every flow is z' = F(z) + Σ aᵢ Gᵢ(z) with free a; fields that are polynomials in a are given by their coefficients.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from .evaluation import TIME, Evaluator, Unread, array, entrywise, velocity_of
from .reading import Reading, every_token, pieces

Column = tuple[Any, ...]  # a vector field, by coordinate
ZERO, ONE = sympy.Integer(0), sympy.Integer(1)


@dataclass(frozen=True)
class System:
    """A control-affine system. `outputs`: the coordinates of φ; a law may name `moments`."""

    state: tuple[Any, ...]
    parameters: tuple[Any, ...]
    symbolic: tuple[Any, ...]
    drift: Column | None
    controlled: tuple[Column, ...]
    outputs: tuple[Any, ...] = ()
    reading: Reading | None = None

    @property
    def fields(self) -> tuple[Column, ...]:
        """The drift and the controlled fields."""
        return (*([self.drift] if self.drift else []), *self.controlled)

    @cached_property
    def names(self) -> dict[str, Any]:
        """What a law may name."""
        assert self.reading is not None
        return {**self.reading.names, "m()": entrywise(first), "w()": entrywise(second)}

    def law(self, text: str) -> Any:
        """The entries of a law."""
        return array(Evaluator(self.names).text(text))


def first(x: Any) -> Any:
    """Adam's first moment of a parameter."""
    return sympy.Symbol(f"m({x.name})", positive=True)


def second(x: Any) -> Any:
    """The root of the second moment."""
    return sympy.Symbol(f"w({x.name})", positive=True)


def system(model: Reading, seed: int = 0) -> System:
    """The flow of a model; `seed` draws the data of `loss data(k)`.

    Raises:
        Unread: a part of the language that the oracle does not know.
    """
    if model.fields:
        return written_out(model)
    outputs = tuple(combinations_of(model, seed))
    if model.flow.startswith(("adam", "rmsprop", "sign")):
        return adaptive(model, outputs)
    return trained(model, outputs)


def written_out(model: Reading) -> System:
    """A system of `field` statements."""
    controls = tuple(x for a in model.controls.values() for x in a.ravel())
    values = [x for p in model.parameters for x in array(model.fields[p]).ravel()]
    still = {a: 0 for a in controls}
    head = ((TIME,), (ONE,), (ZERO,)) if model.timed else ((), (), ())
    return System(
        (*head[0], *model.state),
        model.state,
        tuple(model.symbolic),
        (*head[1], *(v.subs(still) for v in values)),
        tuple((*head[2], *(sympy.diff(v, a) for v in values)) for a in controls),
        (),
        model,
    )


# ---------------------------------------------------------------- what the loss pushes


def combinations_of(model: Reading, seed: int) -> list[Any]:
    """Functions whose gradients span ∇⟨a, φ⟩ over all cotangents a that the losses give."""
    if model.loss.startswith("data("):
        return few_data(model, int(model.loss[5:-1]), seed)
    seen: list[Any] = []
    for whole in model.maps:
        for part in parts(model, whole):
            if model.loss == "cross_entropy":
                last = part[..., -1:]
                seen += list((part[..., :-1] - last).ravel())
            else:
                seen += list(part.ravel())
    return [s for s in dict.fromkeys(map(sympy.expand, seen)) if s.free_symbols & set(model.state)]


def few_data(model: Reading, k: int, seed: int) -> list[Any]:
    """k combinations of a map's coordinates: the data are drawn from the seed as small integers."""
    if model.network:
        raise Unread("few data of a network")
    source = np.random.default_rng([seed, 0x64617461])
    fixed = [source.integers(-99, 100, (k, *m.shape)) for m in model.maps]
    return [
        sum((int(w) * x for f, m in zip(fixed, model.maps, strict=True)
             for w, x in zip(f[row].ravel(), m.ravel(), strict=True)), ZERO)
        for row in range(k)
    ]  # fmt: skip


def parts(model: Reading, whole: Any) -> list[Any]:
    """A map itself; of a network, its coefficients as a polynomial in data and gates.

    The values of a polynomial at all data span the same space as its coefficients; gates are 0 or 1, free of each
    other and of the data.
    """
    if not model.network:
        return [whole]
    if model.tokens:
        values = [
            entrywise(lambda x, v=v: sympy.expand(x).subs(v))(whole) for v in every_token(model)
        ]
        return [part for value in values for part in coefficients(model, value)]
    return coefficients(model, whole)


def coefficients(model: Reading, whole: Any) -> list[Any]:
    """One array for each monomial in the data and the gates."""
    gates = list(model.gates.by_value.values())
    data = [x for a in model.inputs.values() for x in a.ravel()]
    if not gates and not data:
        return [whole]
    found: dict[Any, Any] = {}
    for place in np.ndindex(*whole.shape):
        entry = sympy.expand(whole[place])
        if not entry.is_polynomial(*data, *gates):
            return samples(model, whole, data, gates)
        for powers, value in sympy.Poly(entry, *data, *gates).terms():
            plain = (*powers[: len(data)], *(min(1, k) for k in powers[len(data) :]))
            held = found.setdefault(plain, array(np.zeros(whole.shape, dtype=int)))
            held[place] += value
    return list(found.values())


def samples(model: Reading, whole: Any, data: Sequence[Any], gates: Sequence[Any]) -> list[Any]:
    """A network at as many random data as it has parameters, and one more: generic fields span all."""
    if gates:
        raise Unread("gates beside functions of the data")
    source = np.random.default_rng(11)
    found = []
    for _ in range(len(model.state) + 1):
        at = {x: sympy.Rational(int(source.integers(-40, 40)), 16) for x in data}
        found.append(entrywise(lambda e, at=at: e.subs(at))(whole))
    return found


# ---------------------------------------------------------------- metrics


def jacobian(outputs: Sequence[Any], parameters: Sequence[Any]) -> Any:
    """∂φ/∂θ as SymPy's matrix."""
    return sympy.Matrix([[sympy.diff(f, x) for x in parameters] for f in outputs])


def potential_second(model: Reading, kind: str) -> Any:
    """u ↦ ψ''(u) of `mirror(…)`."""
    u = sympy.Symbol("u_", positive=True)
    if kind == "entropy":
        return lambda x: 1 / x
    if kind == "log_barrier":
        return lambda x: 1 / x**2
    if power := re.fullmatch(r"power\((.*)\)", kind):
        p = model.value(power[1]).item()
        return lambda x: x ** (p - 2)
    psi = array(model.value(kind)(array(u))).item()
    second_derivative = sympy.diff(psi, u, 2)
    return lambda x: second_derivative.subs(u, x)


def inverse_metric(model: Reading, outputs: Sequence[Any], at: Sequence[Any] | None = None) -> Any:
    """M⁻¹ (M⁺ where M is singular); mirror metrics are taken `at` the values given."""
    state = model.state
    found: Any = sympy.eye(len(state))
    values = dict(zip(state, at or state, strict=True))
    for line in model.metrics:
        own = [x for p in line.on for x in model.parameters[p].ravel()]
        places = [state.index(x) for x in own]
        for entry, place in zip(own, places, strict=True):
            if line.text.startswith("scaled("):
                found[place, place] = rate_of(model, line.text[7:-1], entry)
            elif line.text.startswith("mirror("):
                hessian = potential_second(model, line.text[7:-1])
                found[place, place] = 1 / hessian(values[entry])
        if line.text.startswith("riemannian("):
            matrix = sympy.Matrix(array(model.value(line.text[11:-1])).tolist())
            write(found, places, inverse_of(matrix))
        elif line.text.startswith("fisher("):
            natural(model, outputs, line.text[7:-1], line.on, found)
    return found


def rate_of(model: Reading, text: str, entry: Any) -> Any:
    """The entry's rate, where an array of rates broadcasts to its parameter."""
    for values in model.parameters.values():
        for place in np.ndindex(*values.shape):
            if values[place] == entry:
                return np.broadcast_to(model.value(text), values.shape)[place]
    raise Unread(text)


def write(whole: Any, places: Sequence[int], block: Any) -> None:
    """Put a block into a matrix."""
    for i, a in enumerate(places):
        for j, b in enumerate(places):
            whole[a, b] = block[i, j]


def inverse_of(matrix: Any) -> Any:
    """The inverse by cofactors."""
    determinant = matrix.det(method="berkowitz")
    return matrix.adjugate(method="berkowitz") / determinant


def natural(
    model: Reading, outputs: Sequence[Any], text: str, on: Iterable[str], found: Any
) -> None:
    """(JᵀJ + c)⁻¹, or the pseudo-inverse, for each block of a Fisher metric with Gaussian output."""
    kind, damping = "full", ZERO
    for option in pieces(text):
        name, _, value = (s.strip() for s in option.partition("="))
        if name == "damping":
            damping = model.value(value).item()
        elif value or name not in ("full", "blocks", "diagonal"):
            raise Unread(option)
        else:
            kind = name
    own = [list(model.parameters[p].ravel()) for p in on]
    if kind == "full":
        own = [[x for block in own for x in block]]
    elif kind == "diagonal":
        own = [[x] for block in own for x in block]
    for block in own:
        j = jacobian(outputs, block)
        square = j.T * j
        inverse = (
            inverse_of(square + damping * sympy.eye(len(block))) if damping else pseudo_inverse(j)
        )
        write(found, [model.state.index(x) for x in block], inverse)


def pseudo_inverse(j: Any) -> Any:
    """(JᵀJ)⁺ = J⁺(J⁺)ᵀ, with J = C·R, R independent rows of J."""
    symbols = sorted(j.free_symbols, key=str)
    source = np.random.default_rng(7)
    point = {x: sympy.Rational(int(source.integers(2, 999)), 7) for x in symbols}
    at_point = j.subs(point)
    rows: list[int] = []
    for i in range(j.rows):
        if at_point.extract([*rows, i], list(range(j.cols))).rank() == len(rows) + 1:
            rows.append(i)
    if not rows:
        return sympy.zeros(j.cols)
    r = j.extract(rows, list(range(j.cols)))
    if len(rows) == j.cols:
        return inverse_of(j.T * j)
    right = r.T * inverse_of(r * r.T)  # R⁺
    c = j * right
    whole = right * inverse_of(c.T * c) * c.T
    return whole * whole.T


# ---------------------------------------------------------------- flows


def trained(model: Reading, outputs: tuple[Any, ...]) -> System:
    """Gradient flow and momentum."""
    theta = model.state
    order2 = re.fullmatch(r"order 2(?: damping (.*?))?( accelerated)?", model.flow)
    speeds = tuple(map(velocity_of, theta))
    damping = model.value(order2[1]).item() if order2 and order2[1] else ZERO
    at = [damping * x + v for x, v in zip(theta, speeds, strict=True)]
    metric = inverse_metric(model, outputs, at if order2 and order2[2] else None)
    pushes = [tuple((metric * jacobian([f], theta).T).flat()) for f in outputs]
    rates = {x: r.rate for r in model.decays for p in r.on for x in model.parameters[p].ravel()}
    rates = {x: r for x, r in rates.items() if r != 0}
    coupled = any(r.coupling == "coupled" for r in model.decays)
    shrink = sympy.Matrix([-rates.get(x, ZERO) * x for x in theta])
    decay = tuple((metric * shrink).flat()) if coupled else tuple(shrink.flat())
    symbolic = tuple(model.symbolic)
    if not order2:
        if not model.decays:
            return System(theta, theta, symbolic, None, tuple(pushes), outputs, model)
        drift = (ONE, *decay)
        held = tuple((ZERO, *p) for p in pushes)
        return System((TIME, *theta), theta, symbolic, drift, held, outputs, model)
    beside = decay if not coupled else (ZERO,) * len(theta)
    inside = decay if coupled else (ZERO,) * len(theta)
    drift = (
        ONE,
        *(v + d for v, d in zip(speeds, beside, strict=True)),
        *(-damping * v + d for v, d in zip(speeds, inside, strict=True)),
    )
    still = (ZERO,) * (1 + len(theta))
    held = tuple((*still, *p) for p in pushes)
    return System((TIME, *theta, *speeds), theta, symbolic, drift, held, outputs, model)


def adaptive(model: Reading, outputs: tuple[Any, ...]) -> System:
    """Adam, RMSProp and sign(s), with the coefficients of their fields in a."""
    theta = model.state
    a = [sympy.Symbol(f"cotangent{i}") for i in range(len(outputs))]
    g = [sum((c * sympy.diff(f, x) for c, f in zip(a, outputs, strict=True)), ZERO) for x in theta]
    kind, _, text = model.flow.partition("(")
    given = {
        n.strip(): model.value(v).item()
        for n, e, v in (p.partition("=") for p in pieces(text.rstrip(")")))
        if e
    }
    symbolic = tuple(model.symbolic)
    if kind == "sign":
        s = int(text.rstrip(")"))
        if s % 2 == 0 and len(outputs) > 1:
            raise Unread("an even power of several gradients")
        powers = [positive_part(e**s) if s else sign_of(e, a) for e in g]
        fields = in_cotangents(powers, a)
        controlled = tuple(f for k, f in fields.items())
        return System(theta, theta, symbolic, None, controlled, outputs, model)
    w = tuple(map(second, theta))
    b2 = given["b2"]
    forget = [b2 * (e**2 - x**2) / (2 * x) for e, x in zip(g, w, strict=True)]
    if kind == "rmsprop":
        state = (TIME, *theta, *w)
        motion = [ONE, *(e / x for e, x in zip(g, w, strict=True)), *forget]
    else:
        m = tuple(map(first, theta))
        state = (TIME, *theta, *m, *w)
        motion = [
            ONE,
            *(e / x for e, x in zip(m, w, strict=True)),
            *(given["b1"] * (e - x) for e, x in zip(g, m, strict=True)),
            *forget,
        ]
    fields = in_cotangents(motion, a)
    drift = fields.pop((0,) * len(a))
    return System(state, theta, symbolic, drift, tuple(fields.values()), outputs, model)


def positive_part(power: Any) -> Any:
    """sgn(g)|g|ˢ where the signs of all g are one: gˢ up to a common sign."""
    return sympy.expand(power)


def sign_of(gradient: Any, a: Sequence[Any]) -> Any:
    """sgn(a·∂φ) = ±1 with the sign of ∂φ at positive parameters."""
    slope = sympy.expand(sympy.diff(gradient, a[0]))
    if slope == 0:
        return ZERO
    terms = sympy.Add.make_args(slope)
    if all(t.as_coeff_Mul()[0] > 0 for t in terms):
        return a[0]
    raise Unread("a gradient of unknown sign")


def in_cotangents(motion: Sequence[Any], a: Sequence[Any]) -> dict[tuple[int, ...], Column]:
    """The coefficients of a field that is a polynomial in the cotangent."""
    found: dict[tuple[int, ...], list[Any]] = {}
    if not a:
        return {(): tuple(motion)}
    for i, entry in enumerate(motion):
        for powers, value in sympy.Poly(sympy.expand(entry), *a).terms():
            found.setdefault(powers, [ZERO] * len(motion))[i] = value
    found.setdefault((0,) * len(a), [ZERO] * len(motion))
    if not any(v != 0 for v in found[(0,) * len(a)]):
        found.pop((0,) * len(a))
    return {k: tuple(v) for k, v in found.items()}
