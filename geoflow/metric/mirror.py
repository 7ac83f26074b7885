"""Mirror metrics M = ∇²ψ of a separable potential ψ(θ) = Σ ψ(u): M⁻¹ is diagonal with entries 1/ψ''(u).

A scaling symmetry of φ conserves Σ uψ'(u) − ψ(u) (entropy: Σu), a translation Σψ'(u); both are rational or
logarithmic for the named potentials. A new named potential is one entry of `NAMED`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

import jax
import jax.numpy as jnp
from jax import lax

from geoflow.exact.program import UnsupportedPrimitive
from geoflow.expr.build import function, power
from geoflow.expr.tree import Expr
from geoflow.metric.base import Arrays, Metric, MetricContext, Setting
from geoflow.metric.signature import Domain, samples, verify_convex

Scalar = Callable[[jax.Array], jax.Array]


@dataclass(frozen=True)
class _Named:
    inverse: Scalar  # 1/ψ''
    balanced: Callable[[Expr], tuple[Expr, ...]]
    positive: bool = True


def _power_function(p: Fraction) -> _Named:
    """ψ = uᵖ/(p(p − 1)), ψ'' = u^(p − 2), uψ' − ψ = uᵖ/p."""
    if p in (0, 1):
        raise ValueError(
            "power(p) needs p other than 0 and 1; power(1) is entropy, power(0) is log_barrier"
        )
    exponent = 2 - p
    if exponent.denominator == 1:
        return _Named(
            lambda u: lax.integer_pow(u, int(exponent)),
            lambda u: (power(u, p), power(u, p - 1)),
            positive=not (p.denominator == 1 and p > 0 and p % 2 == 0),
        )
    if exponent.denominator != 2:
        raise ValueError("power(p) needs p whole or half a whole number")
    return _Named(
        lambda u: lax.integer_pow(lax.sqrt(u), exponent.numerator),
        lambda u: (power(u, p), power(u, p - 1)),
    )


NAMED: dict[str, _Named] = {
    "entropy": _Named(lambda u: u, lambda u: (u, function("log", u))),
    "log_barrier": _Named(lambda u: u * u, lambda u: (function("log", u), power(u, -1))),
}


def _derivative(f: Scalar) -> Scalar:
    return lambda u: jax.jvp(f, (u,), (jnp.ones_like(u),))[1]


def _entrywise(f: Scalar) -> Scalar:
    """f of one number, for each entry of an array: so `sum(u**4)` means what `u**4` does."""
    return lambda u: jnp.reshape(jax.vmap(f)(jnp.reshape(u, -1)), jnp.shape(u))


@dataclass(frozen=True)
class _Settled:
    setting: Setting
    provisos: tuple[str, ...]


@dataclass(frozen=True)
class Mirror(Metric):
    """The mirror metric of a potential: "entropy", "log_barrier", "power" (with `p`), or a JAX function u ↦ ψ(u) of
    one entry. With `known`, the function is (constants, u) ↦ ψ(u) and reads those exact constants by name.

    Raises:
        ValueError: an unknown name, or `p` missing or out of range.
    """

    potential: str | Callable[..., jax.Array]
    p: Fraction | int | float | None = None
    label: str = ""
    known: Mapping[str, Fraction | None] = field(default_factory=dict)
    found: _Settled | None = field(default=None, repr=False, compare=False)
    mirror = True

    def __post_init__(self):
        if (
            isinstance(self.potential, str)
            and self.potential != "power"
            and self.potential not in NAMED
        ):
            raise ValueError(
                f"unknown potential {self.potential!r}; known: {', '.join(NAMED)}, power, or a function"
            )
        if self.potential == "power":
            if self.p is None:
                raise ValueError("the potential power needs p")
            _power_function(Fraction(self.p))

    @property
    def _named(self) -> _Named | None:
        if self.potential == "power" and self.p is not None:
            return _power_function(Fraction(self.p))
        return NAMED[self.potential] if isinstance(self.potential, str) else None

    @property
    def text(self) -> str:
        if self.potential == "power":
            return f"power({Fraction(self.p or 0)}) mirror"
        name = self.potential if isinstance(self.potential, str) else self.label
        return f"{name.replace('_', ' ')} mirror".strip()

    @property
    def positive(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self._named is not None and self._named.positive

    def constants(self) -> Mapping[str, Fraction | None]:
        return self.known

    def _psi(self, constants: Arrays) -> Scalar:
        assert callable(self.potential)
        potential = self.potential
        return (lambda u: potential(constants, u)) if self.known else potential

    def steepest(self, context: MetricContext, covector: Arrays) -> Arrays:
        theta = context.own
        if self._named is not None:
            inverse = self._named.inverse
            return {name: inverse(theta[name]) * g for name, g in covector.items()}
        hessian = _entrywise(self._curvature(context.constants))
        return {name: g / hessian(theta[name]) for name, g in covector.items()}

    def _curvature(self, constants: Arrays) -> Scalar:
        """ψ''."""
        return _derivative(_derivative(self._psi(constants)))

    def settled(self, setting: Setting) -> Metric:
        """With where a potential of one's own is convex.

        Raises:
            NoMetric: ψ'' is 0, or negative, at every point tried.
        """
        place = replace(setting, known={})
        if self._named is not None or (self.found is not None and self.found.setting == place):
            return self

        def curvature(constants: Arrays, theta: Arrays) -> jax.Array:
            return jnp.reshape(self._curvature(constants)(theta["u"]), (1, 1))

        positive = frozenset({"u"} if set(setting.own) <= setting.positive else ())
        domain = Domain(setting.own, self.known, {"u": ()}, positive)
        try:
            tried = samples(curvature, domain)
        except UnsupportedPrimitive:  # then the count says what is wrong
            return self
        name = f"The potential `{self.label}`" if self.label else "The potential"
        convex = verify_convex(tried, domain, name)
        return replace(self, found=_Settled(place, (convex,) if convex else ()))

    @property
    def provisos(self) -> tuple[str, ...]:
        return self.found.provisos if self.found is not None else ()

    def balanced(self, parameter: Expr) -> tuple[Expr, ...]:
        if self._named is not None:
            return self._named.balanced(parameter)
        from geoflow.metric.potential import balanced_functions

        return balanced_functions(self._psi, self.known, parameter)
