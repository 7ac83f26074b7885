"""`Model`: a checked model. Names are resolved, sizes known, shapes right; of the text only spans are left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from geoflow.diagnostics import Span
from geoflow.expr.tree import Expr, Parameter, Shape
from geoflow.results import VerifySettings

Sign = Literal["free", "positive"]
FlowKind = Literal["order", "adam", "rmsprop", "sign"]
Gates = Literal["lifted", "real"]
LossKind = Literal["any", "cross_entropy", "data"]


@dataclass(frozen=True)
class ConstantDeclaration:
    """`const tau = 1/2` has a value; `const eta symbolic` has none."""

    name: str
    value: Fraction | None
    span: Span


@dataclass(frozen=True)
class ParameterDeclaration:
    """One parameter (each member of a family is one: `W[1]`)."""

    name: str
    shape: Shape
    sign: Sign
    span: Span
    family: str | None = None


@dataclass(frozen=True)
class InputDeclaration:
    """One array of data. Of integers below `classes` it is one-hot: the last size is `classes`."""

    name: str
    shape: Shape
    span: Span
    classes: int | None = None


@dataclass(frozen=True)
class Potential:
    """A mirror potential given as `u -> body`: ψ(θ) is the sum of `body` over the entries u of the parameter."""

    variable: Parameter
    body: Expr


@dataclass(frozen=True)
class MetricBlock:
    """`metric kind(…) on parameters`.

    options by kind: euclidean: none · scaled: {"rate": Expr that broadcasts to each parameter} ·
    mirror: {"potential": "entropy" | "log_barrier" | "power" | Potential} and, for power, {"p": Fraction} ·
    fisher: {"kind": "full" | "blocks" | "diagonal", "damping": scalar Expr or None,
    "output": "gaussian" | "bernoulli" | "categorical" | "poisson"} and, where data are named,
    {"points": int or None for gaussian}; full is over all parameters of the block together ·
    riemannian: {"matrix": Expr [n, n]}, on the n entries of the parameters, each row by row, in the block's order.
    """

    kind: str
    parameters: tuple[str, ...]
    options: dict[str, object]
    span: Span
    text: str


@dataclass(frozen=True)
class DecayDeclaration:
    """`decay rate on parameters`. Coupled: rate·‖θ‖²/2 is part of the loss; decoupled: −rate·θ is part of θ'.

    A rate is a scalar of constants; one that is 0 declares nothing, and is left out of the model.
    """

    parameters: tuple[str, ...]
    rate: Expr
    coupled: bool
    span: Span
    text: str


@dataclass(frozen=True)
class AtPoint:
    """`at zero`, `at balanced`, or `at {…}`, which is a point and has a value for every parameter."""

    kind: Literal["zero", "balanced", "point"]
    values: Mapping[str, Expr]
    span: Span


@dataclass(frozen=True)
class FieldDeclaration:
    """`field z' = expression`: affine in the controls, which stand in it as parameters of their names."""

    parameter: str
    expression: Expr
    span: Span


@dataclass(frozen=True)
class LawClaim:
    """`law name = expression`: every entry of the expression is conserved."""

    name: str
    expression: Expr
    text: str
    span: Span


@dataclass(frozen=True)
class Expectation:
    """`expect …`. `kind` is laws, block, complete, commuting or depth; `expect no laws` is laws with value 0.

    A block counts the laws of some parameters alone, those in `of`.
    """

    kind: Literal["laws", "block", "complete", "commuting", "depth"]
    value: int | None
    text: str
    span: Span
    of: tuple[str, ...] = ()


@dataclass(frozen=True)
class SweptSize:
    """`n in 1..6`: a size or constant that takes each of these values."""

    name: str
    first: int
    last: int

    @property
    def values(self) -> range:
        """Both ends included."""
        return range(self.first, self.last + 1)


@dataclass(frozen=True)
class SweepDeclaration:
    """`sweep n in 1..6, r in 1..4 when …`: the family that the model belongs to."""

    sizes: tuple[SweptSize, ...]
    text: str
    span: Span


@dataclass(frozen=True)
class SearchTerm:
    """One entry of `search`: polynomial(degree), darboux(degree), log(coordinates), or potentials."""

    kind: Literal["polynomial", "darboux", "log", "potentials"]
    degree: int | None = None


@dataclass(frozen=True)
class Model:
    """A checked model, ready to be lowered to a `Flow`.

    `damping` is None for order 1 only. `flow_options`: adam {"b1", "b2"} and rmsprop {"b2"} expressions in constants,
    sign {"power"} a natural number. `at` is None at a generic point. A model with `fields` has a field for every
    parameter and no maps; without, it has maps and no controls. The maps of a `network` depend on its inputs, which
    stand in them as parameters of their names; other models have no inputs. `text` is the model as one text that needs
    no other file.
    """

    name: str
    span: Span
    constants: tuple[ConstantDeclaration, ...]
    parameters: tuple[ParameterDeclaration, ...]
    maps: tuple[Expr, ...]
    map_text: str
    metrics: tuple[MetricBlock, ...]
    order: Literal[1, 2]
    damping: Expr | None
    laws: tuple[LawClaim, ...]
    expectations: tuple[Expectation, ...]
    search: tuple[SearchTerm, ...] | None
    verify: VerifySettings
    accelerated: bool = False
    flow_kind: FlowKind = "order"
    flow_options: Mapping[str, Expr | int] = field(default_factory=dict)
    decay: tuple[DecayDeclaration, ...] = ()
    loss: LossKind = "any"
    loss_points: int | None = None
    at: AtPoint | None = None
    controls: tuple[tuple[str, Shape], ...] = ()
    fields: tuple[FieldDeclaration, ...] = ()
    network: bool = False
    inputs: tuple[InputDeclaration, ...] = ()
    gates: Gates = "lifted"
    sweep: SweepDeclaration | None = None
    text: str = ""
    map_span: Span | None = None  # of all maps, or of all fields

    @property
    def file(self) -> str:
        """The name of the file the model is written in."""
        return self.span.source.name
