"""`Model`: a checked model. Names are resolved, sizes known, shapes right; of the text only spans are left."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from geoflow.diagnostics import Span
from geoflow.expr.tree import Expr, Parameter, Shape
from geoflow.results import VerifySettings

Sign = Literal["free", "positive"]


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
class Potential:
    """A mirror potential given as `u -> body`: ψ(θ) is the sum of `body` over the entries u of the parameter."""

    variable: Parameter
    body: Expr


@dataclass(frozen=True)
class MetricBlock:
    """`metric kind(…) on parameters`.

    options by kind: euclidean: none · scaled: {"rate": Expr that broadcasts to each parameter} ·
    mirror: {"potential": "entropy" | "log_barrier" | "power" | Potential} and, for power, {"p": Fraction}.
    """

    kind: str
    parameters: tuple[str, ...]
    options: dict[str, object]
    span: Span
    text: str


@dataclass(frozen=True)
class LawClaim:
    """`law name = expression`: every entry of the expression is conserved."""

    name: str
    expression: Expr
    text: str
    span: Span


@dataclass(frozen=True)
class Expectation:
    """`expect …`. `kind` is laws, complete, commuting or depth; `expect no laws` is laws with value 0."""

    kind: Literal["laws", "complete", "commuting", "depth"]
    value: int | None
    text: str
    span: Span


@dataclass(frozen=True)
class SearchTerm:
    """One entry of `search`: polynomial(degree), or log(coordinates), or potentials."""

    kind: Literal["polynomial", "log", "potentials"]
    degree: int | None = None


@dataclass(frozen=True)
class Model:
    """A checked model, ready to be lowered to a `Flow`."""

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

    @property
    def file(self) -> str:
        """The name of the file the model is written in."""
        return self.span.source.name
