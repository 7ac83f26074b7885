"""What an optimizer is meant to do, parameter by parameter.

One step, as PyTorch and Optax make it, with rate η, momentum μ and decay λ, coupled (λ_c) or decoupled (λ_d):
m ← μm + g + λ_c θ;  u = m, or g + λ_c θ + μm (Nesterov);  θ ← (1 − ηλ_d)θ − ηu.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Rate = float | Callable[[Any], Any]
Optimizer = Literal["sgd", "other"]


@dataclass(frozen=True)
class Settings:
    """Rates (numbers, or functions of the number of the step) and decays by parameter."""

    rates: Mapping[str, Rate]
    decays: Mapping[str, float]
    momentum: float = 0.0
    nesterov: bool = False
    decoupled: bool = True
    optimizer: Optimizer = "sgd"

    @staticmethod
    def read(
        names: Sequence[str],
        rate: Rate | Mapping[str, Rate] | None,
        momentum: float,
        nesterov: bool,
        decay: float | Mapping[str, float],
        decoupled: bool,
        optimizer: Optimizer,
    ) -> Settings:
        """Settings for the parameters `names`; a mapping's keys are names, or prefixes of names.

        Raises:
            ValueError: they contradict each other, or name no parameter.
        """
        if optimizer not in ("sgd", "other"):
            raise ValueError(f"optimizer is 'sgd' or 'other', got {optimizer!r}")
        if optimizer == "sgd" and rate is None:
            raise ValueError("sgd needs its learning rate: rate=0.1, or a function of the step")
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum is in [0, 1), got {momentum!r}")
        if nesterov and not momentum:
            raise ValueError("nesterov needs momentum")
        given: Any = 0.0 if rate is None else rate
        rates = _by_parameter("rate", given, names)
        if missing := [n for n in names if n not in rates]:
            raise ValueError(f"rate says nothing of {', '.join(missing)}")
        decays = {n: 0.0 for n in names} | _by_parameter("decay", decay, names)
        for what, values in (("rate", rates), ("decay", decays)):
            for name, value in values.items():
                if not callable(value) and not float(value) >= 0:
                    raise ValueError(f"the {what} of {name} is {value!r}, which is not positive")
        return Settings(rates, decays, momentum, nesterov, decoupled, optimizer)

    def rate(self, name: str, step: Any) -> Any:
        """The learning rate of a parameter at a step."""
        rate = self.rates[name]
        return rate(step) if callable(rate) else rate

    def coupled(self, name: str) -> float:
        """λ_c."""
        return 0.0 if self.decoupled else self.decays[name]

    def shrinking(self, name: str) -> float:
        """λ_d."""
        return self.decays[name] if self.decoupled else 0.0

    @property
    def remembers(self) -> bool:
        """Whether m is more than the gradient of this step."""
        return self.momentum > 0

    def gathered(self, theta: Mapping[str, Any], gradient: Mapping[str, Any], m: Any) -> Any:
        """m after the gradient of this step."""
        if not self.remembers and self.decoupled:
            return gradient
        found = {}
        for name, g in gradient.items():
            coupled = self.coupled(name)
            value = g + coupled * theta[name] if coupled else g
            found[name] = self.momentum * m[name] + value if self.remembers else value
        return found

    def direction(self, theta: Mapping[str, Any], gradient: Mapping[str, Any], m: Any) -> Any:
        """u, for m after the gradient of this step."""
        if not self.nesterov:
            return m
        return {
            n: g + self.coupled(n) * theta[n] + self.momentum * m[n] for n, g in gradient.items()
        }

    def moved(self, theta: Mapping[str, Any], u: Mapping[str, Any], step: Any) -> dict[str, Any]:
        """θ after the step."""
        found = {}
        for name, value in u.items():
            rate = self.rate(name, step)
            kept = 1 - rate * self.shrinking(name)
            found[name] = kept * theta[name] - rate * value
        return found


def _by_parameter(what: str, given: Any, names: Sequence[str]) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        return {n: given for n in names}
    found: dict[str, Any] = {}
    for key, value in given.items():
        own = [n for n in names if n == key or n.startswith((f"{key}.", f"{key}["))]
        if not own:
            raise ValueError(
                f"{what} names {key!r}, which is no parameter; there are {', '.join(names)}"
            )
        found |= {n: value for n in own}
    return found
