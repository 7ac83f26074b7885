"""Evaluates the definitions of a model, `dim`, `const`, `param`, `input`, `control`, `let` and `def`,
in the order they need each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from geoflow.diagnostics import Diagnostic, DiagnosticError
from geoflow.expr.tree import Expr, Number, Parameter, Shape
from geoflow.semantics import messages
from geoflow.semantics.calls import verify_function
from geoflow.semantics.expressions import MOST_ENTRIES, NO_LOCALS, Expressions
from geoflow.semantics.model import (
    ConstantDeclaration,
    InputDeclaration,
    ParameterDeclaration,
)
from geoflow.semantics.scope import (
    Declared,
    Definition,
    Kind,
    Locals,
    Members,
    Scope,
    called_functions,
    in_order,
)
from geoflow.semantics.signatures import FUNCTIONS, UNSUPPORTED
from geoflow.syntax import tree

_KINDS: dict[type, Kind] = {
    tree.DimItem: "size",
    tree.ConstItem: "constant",
    tree.ParamItem: "parameter",
    tree.InputItem: "input",
    tree.Control: "control",
    tree.Let: "let",
    tree.Def: "function",
}
_MOST_FAMILY = 100_000


@dataclass
class Definitions:
    """The definitions of one model and what they gave."""

    expressions: Expressions
    overrides: Mapping[str, tree.Expression] = field(default_factory=dict)
    constants: dict[str, ConstantDeclaration] = field(default_factory=dict)
    parameters: dict[str, tuple[ParameterDeclaration, ...]] = field(default_factory=dict)
    inputs: dict[str, InputDeclaration] = field(default_factory=dict)
    controls: dict[str, Shape] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    declared: dict[str, Definition] = field(default_factory=dict)
    _ambiguous: set[str] = field(default_factory=set)

    @property
    def scope(self) -> Scope:
        """The names of the model."""
        return self.expressions.scope

    def declare(self, statement: tree.Statement) -> None:
        """Take in the definitions of a statement; other statements are left alone."""
        if isinstance(statement, tree.Dim | tree.Const | tree.Param | tree.Input):
            self.expressions.spend(len(statement.items), statement.span)
            for item in statement.items:
                self._declare(item)
        elif isinstance(statement, tree.Control | tree.Let | tree.Def):
            self._declare(statement)

    def _declare(self, item: Definition) -> None:
        name = item.name.text
        if name in self.declared:
            first = self.declared[name].name.span
            if first != item.name.span:  # the same file used twice declares nothing twice
                self.diagnostics.append(messages.defined_twice(item.name, first))
                self._ambiguous.add(name)
        elif isinstance(item, tree.Def) and (name in FUNCTIONS or name in UNSUPPORTED):
            self.diagnostics.append(messages.builtin_name(item.name))
        else:
            self.declared[name] = self._overridden(item)

    def _overridden(self, item: Definition) -> Definition:
        value = self.overrides.get(item.name.text)
        if value is None:
            return item
        if isinstance(item, tree.DimItem):
            return tree.DimItem(item.span, item.name, item.family, value)
        return (
            tree.ConstItem(item.span, item.name, value)
            if isinstance(item, tree.ConstItem)
            else item
        )

    def evaluate(self) -> None:
        """Give every name its meaning; None to those whose definition is wrong."""
        order, diagnostics, circular = in_order(self.declared)
        self.diagnostics += diagnostics
        for (
            name
        ) in self.declared:  # declared before evaluated, so that a name knows of those after it
            self.scope.declare(self._declaration(name, None))
        for name in order:
            if name in circular:
                continue
            try:
                meaning = self._meaning(self.declared[name])
            except DiagnosticError as error:
                self.diagnostics += error.diagnostics
            else:
                if name not in self._ambiguous:
                    self.scope.declare(self._declaration(name, meaning))
        self._verify_total()

    def _declaration(self, name: str, meaning: Expr | Members | tree.Def | None) -> Declared:
        item = self.declared[name]
        span = item.name.span if isinstance(item, tree.Let | tree.Def) else item.span
        return Declared(name, _KINDS[type(item)], span, meaning)

    def _meaning(self, item: Definition) -> Expr | Members | tree.Def:
        match item:
            case tree.DimItem():
                return self._dim(item)
            case tree.ConstItem():
                return self._const(item)
            case tree.ParamItem():
                return self._param(item)
            case tree.InputItem():
                return self._input(item)
            case tree.Control():
                name = item.name.text
                self.controls[name] = self._shape(item, name, NO_LOCALS)
                return Parameter(name, self.controls[name])
            case tree.Let():
                return self.expressions.array(item.value)
            case tree.Def():
                self._verify_names(item)
                return item

    def _verify_names(self, definition: tree.Def) -> None:
        """Names unknown in a body are wrong even if nothing calls it."""
        seen: dict[str, tree.Name] = {}
        for name in definition.parameters:
            if name.text in seen:
                raise DiagnosticError(messages.defined_twice(name, seen[name.text].span))
            seen[name.text] = name
        self.expressions.verify_names(definition)
        for name in called_functions(definition):
            verify_function(self.scope, name)

    # ------------------------------------------------------------ sizes and constants

    def _dim(self, item: tree.DimItem) -> Expr | Members:
        if item.family is None:
            if isinstance(item.value, tree.List):
                raise DiagnosticError(messages.sizes_without_range(item.name, item.value))
            return Number(
                Fraction(self.expressions.size(item.value, f"The size `{item.name.text}`"))
            )
        indices = self._family(item.family)
        name = item.name.text
        if item.family.variable is not None:
            return Members(
                {
                    index: self._size(
                        item.value, f"{name}[{index}]", {item.family.variable.text: at}
                    )
                    for index, at in indices.items()
                }
            )
        if not isinstance(item.value, tree.List):
            listed = self.expressions.items(item.value, NO_LOCALS)
            origins = [(node, {}) for node, _ in listed or ()]
            sizes = [Number(self._positive(e, n, name)) for n, e in listed or ()]
        else:
            origins = [(node, {}) for node in item.value.items]
            sizes = [
                self._size(node, f"{name}[{index}]", {})
                for index, node in zip(indices, item.value.items, strict=False)
            ]
        if len(origins) != len(indices):
            first, *_, last = *indices, *indices
            message = (
                f"`{name}` has the {len(indices)} members {first} to {last}, "
                f"and {len(origins)} sizes are given."
            )
            label = f"{len(indices)} sizes are needed"
            raise DiagnosticError(Diagnostic("GEO0204", message, item.value.span, label))
        return Members(dict(zip(indices, sizes, strict=True)))

    def _positive(self, expr: Expr, node: tree.Expression, name: str) -> Fraction:
        value = self.expressions.value(expr)
        if value is None or value.denominator != 1 or value <= 0:
            shown = "not a constant number" if value is None else value
            raise DiagnosticError(messages.bad_size(node.span, f"Each size of `{name}`", shown))
        return value

    def _size(self, node: tree.Expression, name: str, local: Locals) -> Number:
        return Number(Fraction(self.expressions.size(node, f"The size `{name}`", local)))

    def _const(self, item: tree.ConstItem) -> Expr:
        name = item.name.text
        value = None
        if item.value is not None:
            value = self.expressions.exact(item.value, f"The constant `{name}`")
        self.constants[name] = ConstantDeclaration(name, value, item.span)
        return self.expressions.constant(name, value)

    def _family(self, family: tree.Family) -> dict[int, Expr]:
        indices = self.expressions.range(family.range)
        if not indices:
            first, last = indices.start, indices.stop - 1
            raise DiagnosticError(messages.empty_family(family.range.span, first, last))
        if len(indices) > _MOST_FAMILY:
            message = (
                f"A family has at most {_MOST_FAMILY:,} members, and this has {len(indices):,}."
            )
            raise DiagnosticError(messages.too_large(family.range.span, message))
        self.expressions.spend(len(indices), family.span)
        return {index: Number(Fraction(index)) for index in indices}

    # ------------------------------------------------------------ parameters

    def _param(self, item: tree.ParamItem) -> Expr | Members:
        name = item.name.text
        if item.family is None:
            members = {0: self._parameter(item, name, NO_LOCALS)}
        else:
            variable = item.family.variable
            members = {
                index: self._parameter(
                    item, f"{name}[{index}]", {variable.text: at} if variable else NO_LOCALS
                )
                for index, at in self._family(item.family).items()
            }
        self.parameters[name] = tuple(members.values())
        made: dict[int, Expr] = {i: Parameter(d.name, d.shape) for i, d in members.items()}
        return Members(made) if item.family is not None else made[0]

    def _parameter(self, item: tree.ParamItem, name: str, local: Locals) -> ParameterDeclaration:
        shape = self._shape(item, name, local)
        family = None if item.family is None else item.name.text
        sign = "free" if item.sign is None else "positive"
        return ParameterDeclaration(name, shape, sign, item.span, family)

    def _input(self, item: tree.InputItem) -> Parameter:
        """Integers below a bound stand in expressions as one-hot arrays."""
        name = item.name.text
        classes = None
        if item.below is not None:
            classes = self.expressions.size(item.below, f"The number of values of `{name}`")
            self.scope.tokens.add(name)
        shape = self._shape(item, name, NO_LOCALS, () if classes is None else (classes,))
        self.inputs[name] = InputDeclaration(name, shape, item.span, classes)
        return Parameter(name, shape)

    def _shape(
        self,
        item: tree.ParamItem | tree.InputItem | tree.Control,
        name: str,
        local: Locals,
        more: Shape = (),
    ) -> Shape:
        shape = tuple(
            self.expressions.size(size, f"A size of `{name}`", local) for size in item.shape or ()
        )
        shape += more
        entries = math.prod(shape)
        if entries > MOST_ENTRIES or len(shape) > 32:
            message = (
                f"`{name}` has {_count(entries)} entries; at most {MOST_ENTRIES:,} are supported."
            )
            raise DiagnosticError(messages.too_large(item.span, message))
        return shape

    def _verify_total(self) -> None:
        total = 0
        for members in self.parameters.values():
            total += sum(math.prod(member.shape) for member in members)
            if total > MOST_ENTRIES:
                message = (
                    f"The parameters up to here have {_count(total)} entries together; "
                    f"at most {MOST_ENTRIES:,} are supported."
                )
                self.diagnostics.append(messages.too_large(members[0].span, message))
                return


def _count(entries: int) -> str:
    return f"{entries:,}" if entries < 10**18 else f"about 10**{entries.bit_length() * 3 // 10}"
