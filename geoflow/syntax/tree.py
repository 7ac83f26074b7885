"""The tree of a file: one frozen dataclass a statement, each with the characters it was written in.

The parts that statements share with one another, expressions and conditions, are in `terms` and
named here too.
"""

from __future__ import annotations

from dataclasses import dataclass

from geoflow.syntax.terms import Argument as Argument
from geoflow.syntax.terms import Binary as Binary
from geoflow.syntax.terms import Both as Both
from geoflow.syntax.terms import Call as Call
from geoflow.syntax.terms import Chain as Chain
from geoflow.syntax.terms import Comparison as Comparison
from geoflow.syntax.terms import Comprehension as Comprehension
from geoflow.syntax.terms import Condition as Condition
from geoflow.syntax.terms import Dotted as Dotted
from geoflow.syntax.terms import Either as Either
from geoflow.syntax.terms import Expression as Expression
from geoflow.syntax.terms import Function as Function
from geoflow.syntax.terms import Index as Index
from geoflow.syntax.terms import Keyword as Keyword
from geoflow.syntax.terms import List as List
from geoflow.syntax.terms import Name as Name
from geoflow.syntax.terms import Negation as Negation
from geoflow.syntax.terms import Node as Node
from geoflow.syntax.terms import Numeral as Numeral
from geoflow.syntax.terms import Range as Range
from geoflow.syntax.terms import Sequence as Sequence
from geoflow.syntax.terms import Slice as Slice
from geoflow.syntax.terms import Text as Text
from geoflow.syntax.terms import TimeName as TimeName
from geoflow.syntax.terms import Transposed as Transposed
from geoflow.syntax.terms import Unary as Unary
from geoflow.syntax.terms import parts as parts

# ---------------------------------------------------------------- parts of statements


@dataclass(frozen=True)
class Family(Node):
    """`[l in 1..L]` or `[0..L]` after a declared name."""

    variable: Name | None
    range: Range


@dataclass(frozen=True)
class Sign(Node):
    """`> 0` or `>= 0`."""

    operator: str
    bound: Numeral


@dataclass(frozen=True)
class DimItem(Node):
    """`n = 4` or `d[0..2] = [2, 5, 1]`."""

    name: Name
    family: Family | None
    value: Expression


@dataclass(frozen=True)
class ConstItem(Node):
    """`tau = 1/2`, or `eta symbolic` where the value is None."""

    name: Name
    value: Expression | None = None


@dataclass(frozen=True)
class ParamItem(Node):
    """`W[l in 1..L][d[l], d[l-1]] > 0`."""

    name: Name
    family: Family | None
    shape: tuple[Expression, ...] | None
    sign: Sign | None


@dataclass(frozen=True)
class InputItem(Node):
    """`x[n]`, or `tokens[T] below V`: integers from 0 to V - 1."""

    name: Name
    shape: tuple[Expression, ...] | None
    below: Expression | None = None


@dataclass(frozen=True)
class Option(Node):
    """A word with arguments: `euclidean`, `scaled(1/10)`; arguments are None where there are no
    brackets.
    """

    name: Name
    arguments: tuple[Argument, ...] | None


@dataclass(frozen=True)
class Target(Node):
    """A parameter, a family, or a member of a family."""

    name: Name
    index: Expression | None


@dataclass(frozen=True)
class Assignment(Node):
    """`U = [[1, 0], [0, 1]]` inside `at {…}`."""

    target: Target
    value: Expression


@dataclass(frozen=True)
class Setting(Node):
    """`loss squared, logistic` inside `verify {…}`."""

    name: Name
    values: tuple[Numeral | Option, ...]


@dataclass(frozen=True)
class SweepItem(Node):
    """`n in 1..6`."""

    name: Name
    range: Range


# ---------------------------------------------------------------- statements


@dataclass(frozen=True)
class ModelLine(Node):
    """`model NAME`."""

    name: Name


@dataclass(frozen=True)
class Use(Node):
    """`use "file.geo"`."""

    path: Text


@dataclass(frozen=True)
class Dim(Node):
    """`dim n = 4, r = 3`."""

    items: tuple[DimItem, ...]


@dataclass(frozen=True)
class Const(Node):
    """`const tau = 1/2, eta symbolic`."""

    items: tuple[ConstItem, ...]


@dataclass(frozen=True)
class Param(Node):
    """`param U[n, r], V[m, r]`."""

    items: tuple[ParamItem, ...]


@dataclass(frozen=True)
class Input(Node):
    """`input x[n], tokens[T] below V`."""

    items: tuple[InputItem, ...]


@dataclass(frozen=True)
class Let(Node):
    """`let A = expression`."""

    name: Name
    value: Expression


@dataclass(frozen=True)
class Def(Node):
    """`def layer(W, x) = expression`."""

    name: Name
    parameters: tuple[Name, ...]
    body: Expression


@dataclass(frozen=True)
class Map(Node):
    """`map phi = expression`."""

    name: Name
    value: Expression


@dataclass(frozen=True)
class Network(Node):
    """`network g = expression`."""

    name: Name
    value: Expression


@dataclass(frozen=True)
class Metric(Node):
    """`metric kind(…) on targets`; no targets: all parameters."""

    kind: Option
    targets: tuple[Target, ...] | None


@dataclass(frozen=True)
class Flow(Node):
    """`flow order 2 damping expression accelerated`."""

    order: Numeral
    damping: Expression | None
    accelerated: str | None


@dataclass(frozen=True)
class AdaptiveFlow(Node):
    """`flow adam(b1 = 0.9)`."""

    kind: Option


@dataclass(frozen=True)
class Decay(Node):
    """`decay c on targets coupled`."""

    rate: Expression
    targets: tuple[Target, ...] | None
    coupling: str | None


@dataclass(frozen=True)
class Loss(Node):
    """`loss cross_entropy`."""

    kind: Option


@dataclass(frozen=True)
class AtNamed(Node):
    """`at generic`."""

    name: Name


@dataclass(frozen=True)
class AtPoint(Node):
    """`at {U = …, V = …}`."""

    assignments: tuple[Assignment, ...]


@dataclass(frozen=True)
class Control(Node):
    """`control a[2]`."""

    name: Name
    shape: tuple[Expression, ...] | None


@dataclass(frozen=True)
class Field(Node):
    """`field z' = expression`."""

    target: Target
    value: Expression


@dataclass(frozen=True)
class Gates(Node):
    """`gates lifted`."""

    name: Name


@dataclass(frozen=True)
class Law(Node):
    """`law name = expression`."""

    name: Name
    value: Expression


@dataclass(frozen=True)
class ExpectLaws(Node):
    """`expect laws of targets = value when condition`."""

    targets: tuple[Target, ...] | None
    value: Expression
    condition: Condition | None


@dataclass(frozen=True)
class ExpectNoLaws(Node):
    """`expect no laws`."""

    condition: Condition | None


@dataclass(frozen=True)
class ExpectProperty(Node):
    """`expect complete` or `expect commuting`."""

    property: str
    condition: Condition | None


@dataclass(frozen=True)
class ExpectDepth(Node):
    """`expect depth = value`."""

    value: Expression
    condition: Condition | None


@dataclass(frozen=True)
class Search(Node):
    """`search polynomial(2), log(coordinates)`."""

    options: tuple[Option, ...]


@dataclass(frozen=True)
class Verify(Node):
    """`verify { … }`."""

    settings: tuple[Setting, ...]


@dataclass(frozen=True)
class Sweep(Node):
    """`sweep n in 1..6 when condition`."""

    items: tuple[SweepItem, ...]
    condition: Condition | None


@dataclass(frozen=True)
class Broken(Node):
    """A statement that could not be parsed: what it would have declared is unknown, and not worth a
    second report.
    """

    text: str


Statement = (
    Broken
    | ModelLine
    | Use
    | Dim
    | Const
    | Param
    | Input
    | Let
    | Def
    | Map
    | Network
    | Metric
    | Flow
    | AdaptiveFlow
    | Decay
    | Loss
    | AtNamed
    | AtPoint
    | Control
    | Field
    | Gates
    | Law
    | ExpectLaws
    | ExpectNoLaws
    | ExpectProperty
    | ExpectDepth
    | Search
    | Verify
    | Sweep
)


@dataclass(frozen=True)
class File(Node):
    """The statements of a source, in order."""

    statements: tuple[Statement, ...]
