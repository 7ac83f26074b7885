"""What every metric provides."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, Protocol

import jax

from geoflow.expr.tree import Expr, Parameter
from geoflow.lossclass import LossClass

Arrays = Mapping[str, jax.Array]
Output = Callable[[Any, Any], tuple[jax.Array, ...]]  # (constants, θ) ↦ φ(θ)


class Input(Protocol):
    """An input of a network."""

    @property
    def name(self) -> str:
        """What φ reads it by."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one datum."""
        ...

    @property
    def kind(self) -> Literal["real", "onehot"]:
        """Real numbers, or rows with a single 1."""
        ...


class NoMetric(ValueError):
    """What is no metric on the parameters `own`; `notes` are facts that a person can check."""

    def __init__(self, own: tuple[str, ...], message: str, *notes: str):
        super().__init__("\n".join((message, *notes)))
        self.own, self.message, self.notes = own, message, notes


@dataclass(frozen=True)
class MetricContext:
    """Where a metric is taken: exact constants by name, its own parameters, all parameters, and φ (of a network, the
    network, which reads its inputs besides).

    `alone`: no other metric measures parameters; `loss`: the class that the covectors' cotangents are of; `inputs`:
    φ reads data.
    """

    constants: Arrays
    own: Arrays
    theta: Arrays
    phi: Output
    loss: LossClass
    alone: bool
    inputs: bool = False


@dataclass(frozen=True)
class Setting:
    """Where a metric stands in a flow: its own parameters, the shapes of all and which are positive, φ with its exact
    constants, the class of losses, whether it is the only metric, and whether fields other than M⁻¹Jᵀa need M⁻¹
    (coupled decay). `inputs`: of a network, which `phi` reads beside θ."""

    own: tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]]
    positive: frozenset[str]
    phi: Output
    known: Mapping[str, Fraction | None]
    loss: LossClass
    alone: bool
    inverted: bool
    inputs: tuple[Input, ...] = ()


class Metric(ABC):
    """A Riemannian metric M(θ) on some parameters."""

    positive: bool = False  # defined for positive parameters only
    quadratic: bool = False  # a constant multiple of I on each parameter: laws can be Gram matrices
    spans: bool = False  # `spanning` is not `steepest`: it has the same span, not the same fields
    couples: bool = False  # M mixes parameters, or depends on those of other metrics
    mirror: bool = False  # a Hessian ∇²ψ, which the accelerated flow takes at τθ + θ'

    def reads_beside(self, own: Sequence[str], rest: Sequence[str]) -> bool:
        """Whether M on the parameters `own` depends on some of the `rest`."""
        return False

    @property
    @abstractmethod
    def text(self) -> str:
        """How the verdict line names it: `Euclidean`, `entropy mirror`."""

    @abstractmethod
    def steepest(self, context: MetricContext, covector: Arrays) -> Arrays:
        """M(θ)⁻¹ · covector, by name."""

    def spanning(self, context: MetricContext, covector: Arrays) -> Arrays:
        """Vectors that span, over all cotangents and functions, the same space as `steepest`, evaluated exactly."""
        return self.exact(context, covector)

    def exact(self, context: MetricContext, covector: Arrays) -> Arrays:
        """M(θ)⁻¹ · covector, evaluated exactly."""
        return self.steepest(context, covector)

    def settled(self, setting: Setting) -> Metric:
        """The metric, knowing what it must know of the flow to be inverted exactly.

        Raises:
            NoMetric: it is no metric there.
        """
        return self

    @property
    def provisos(self) -> tuple[str, ...]:
        """Where it is a metric, if not everywhere."""
        return ()

    @property
    def doubts(self) -> tuple[str, ...]:
        """What its exact inverse takes for granted and is not proved: every verdict is then probable at most."""
        return ()

    @property
    def shrinking(self) -> Expr | None:
        """s, where M⁻¹θ = sθ up to what the fields M⁻¹Jᵀa span: coupled decay at rate c is then decay at rate sc."""
        return None

    def restricted(self, loss: LossClass) -> LossClass:
        """The class of the cotangents that move anything, where this is the only metric and the loss is any."""
        return loss

    def constants(self) -> Mapping[str, Fraction | None]:
        """Exact constants that the metric reads, by name; None for symbolic ones."""
        return {}

    def balanced(self, parameter: Expr) -> tuple[Expr, ...]:
        """Elementwise functions F(u) from which laws are made: first uψ'(u) − ψ(u) of a potential ψ (a scaling
        symmetry conserves its differences), then ψ'(u) (a translation does). Constant factors are left out."""
        return ()

    def logarithms(self, parameter: Parameter) -> tuple[Expr, ...]:
        """Logarithms of which laws are made: of Gram determinants and of norms."""
        return ()
