"""Evaluates expressions of the tree to expressions with static shapes; what is constant is computed
exactly.

One `Expressions` serves one model. It remembers where each operation was written and which nodes
have a known value, and it has a budget, so that no model, however it is nested, costs more than the
limits allow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any, NoReturn

from geoflow.diagnostics import Diagnostic, DiagnosticError, Span
from geoflow.expr.tree import Apply, Constant, Expr, Number, Parameter, Time, Velocity
from geoflow.semantics import arithmetic, layers, messages, shapes
from geoflow.semantics.budget import Budget
from geoflow.semantics.calls import call
from geoflow.semantics.constants import Entries, Known, literal, work
from geoflow.semantics.indexing import positions
from geoflow.semantics.misfits import explain
from geoflow.semantics.scope import Locals, Members, Scope, free_names
from geoflow.semantics.signatures import FUNCTIONS
from geoflow.syntax import tree
from geoflow.syntax.layout import DEEPEST_NESTING

MOST_NODES = 100_000
MOST_ENTRIES = 10**7

NO_LOCALS: Locals = MappingProxyType({})
_WORDS = ("True", "False", "true", "false", "None")  # values of options
_OPERATIONS = {"+": "add", "-": "sub", "*": "mul", "/": "div", "@": "matmul"}


class Expressions:
    """The evaluation of one model's expressions."""

    def __init__(
        self,
        scope: Scope,
        budget: Budget,
        refuse_velocity: Callable[[Span], Diagnostic] | None = None,
    ):
        self.scope = scope
        self._budget = budget
        self._refuse_velocity = refuse_velocity
        self.spans: dict[Expr, Span] = {}
        self._known = Known()
        self._nodes = 0
        self._depth = 0
        self._exhausted = False

    # ------------------------------------------------------------ public questions

    def array(self, node: tree.Expression, local: Locals = NO_LOCALS) -> Expr:
        """The expression, or a `DiagnosticError`."""
        if self._depth == 0:
            self.verify_names(node, local)
        self._depth += 1
        try:
            self.spend(1, node.span)
            if self._depth > DEEPEST_NESTING + 20:
                raise DiagnosticError(_too_deep(node.span))
            return self._evaluate(node, local)
        finally:
            self._depth -= 1

    def spend(self, steps: int, span: Span) -> None:
        """Take steps from the file's budget. Raises where nothing is left, or something is too large."""
        spent = self._budget.spent
        if not self._budget.spend(steps) or self._exhausted:
            self._exhausted = self._exhausted or spent
            self._exhaust(span, "Written out, this file is too long up to here.")

    def verify_names(self, node: tree.Node, local: Locals = NO_LOCALS) -> None:
        """Raise at the first name that is not declared, before all else is said of the node."""
        for name in free_names(node, called=False):
            if name.text not in local and name.text not in FUNCTIONS and name.text not in _WORDS:
                self.scope.verify_declared(name, local)

    def exact(self, node: tree.Expression, what: str, local: Locals = NO_LOCALS) -> Fraction:
        """The value of an expression that must be a constant number."""
        expr = self.array(node, local)
        if expr.shape:
            raise DiagnosticError(messages.scalar_needed(node.span, what, expr.shape))
        value = self.value(expr)
        if value is None:
            raise DiagnosticError(
                messages.wrong_kind(
                    node.span,
                    f"{what} must be a constant number, and {messages.shown(node)} is not.",
                    "not a constant",
                )
            )
        return value

    def integer(self, node: tree.Expression, what: str, local: Locals = NO_LOCALS) -> int:
        """The value of an expression that must be a constant integer."""
        value = self.exact(node, what, local)
        if value.denominator != 1:
            raise DiagnosticError(
                messages.wrong_kind(
                    node.span, f"{what} must be an integer, and this is {value}.", f"{value}"
                )
            )
        return value.numerator

    def size(self, node: tree.Expression, what: str, local: Locals = NO_LOCALS) -> int:
        """The value of an expression that must be a positive integer."""
        value = self.exact(node, what, local)
        if value.denominator != 1 or value <= 0:
            raise DiagnosticError(messages.bad_size(node.span, what, value))
        return value.numerator

    def range(self, node: tree.Range, local: Locals = NO_LOCALS) -> range:
        """The integers of a range, both ends included."""
        first = self.integer(node.first, "An end of a range", local)
        last = self.integer(node.last, "An end of a range", local)
        if last - first >= MOST_NODES:
            raise DiagnosticError(
                messages.too_large(node.span, f"The range {first}..{last} is too long.")
            )
        return range(first, last + 1)

    def value(self, expr: Expr) -> Fraction | None:
        """The value of a scalar, where it is known."""
        known = self.entries(expr)
        return known[0] if known is not None and not expr.shape else None

    def entries(self, expr: Expr) -> Entries | None:
        """The entries of a constant array in row-major order, where they are known."""
        return self._known.entries(expr)

    def constant(self, name: str, value: Fraction | None) -> Constant:
        """A named constant; its value, if it has one, takes part in exact arithmetic."""
        expr = Constant(name)
        if value is not None:
            self._known.declare(expr, (value,))
        return expr

    def items(
        self, node: tree.Expression, local: Locals
    ) -> list[tuple[tree.Expression, Expr]] | None:
        """The entries of a list or comprehension, each with the tree it came from; None for
        anything else.
        """
        if isinstance(node, tree.List):
            return [(item, self.array(item, local)) for item in node.items]
        if isinstance(node, tree.Comprehension):
            return [
                (node.body, self.array(node.body, bound))
                for bound in self._each(node.range, node.variable.text, local)
            ]
        return None

    def _each(self, node: tree.Range, variable: str, local: Locals) -> Iterator[Locals]:
        for index in self.range(node, local):
            yield {**local, variable: Number(Fraction(index))}

    # ------------------------------------------------------------ one node

    def _evaluate(self, node: tree.Expression, local: Locals) -> Expr:
        match node:
            case tree.Numeral():
                return self._numeral(node)
            case tree.Name():
                return self._name(node, local)
            case tree.TimeName():
                if "t" in self.scope.broken:  # it may have been meant as a name
                    raise DiagnosticError
                return self._remember(Time(), node.span)
            case tree.Unary():
                operand = self.array(node.operand, local)
                return operand if node.operator == "+" else self.apply("neg", (operand,), node)
            case tree.Binary(operator="**"):
                return self._power(node, local)
            case tree.Binary():
                return self._chain_of_operations(node, local)
            case tree.Transposed():
                operand = self.array(node.operand, local)
                return self.apply("transpose", (operand,), node) if operand.shape else operand
            case tree.Dotted():
                return self._velocity(node, local)
            case tree.Index():
                return self._index(node, local)
            case tree.Sequence():
                message = "A sequence in round brackets is a shape or axes, not an array."
                raise DiagnosticError(
                    messages.wrong_kind(
                        node.span, message, "not an array", "an array is written `[a, b]`"
                    )
                )
            case tree.List() | tree.Comprehension():
                return self._list(node, local)
            case tree.Chain():
                return self._chain(node, local)
            case tree.Call():
                return call(self, node, local)

    def _numeral(self, node: tree.Numeral) -> Number:
        try:
            return Number(arithmetic.parse_number(node.text))
        except arithmetic.TooLarge:
            raise DiagnosticError(_too_many_bits(node.span)) from None

    def _name(self, node: tree.Name, local: Locals) -> Expr:
        if node.text in local:
            return local[node.text]
        if node.text in FUNCTIONS and node.text not in self.scope.names:
            raise DiagnosticError(_function_as_value(node))
        declared = self.scope.find(node, local)
        if isinstance(declared.meaning, Members):
            what = f"{declared.kind}s"
            raise DiagnosticError(messages.bare_family(node, what, declared.meaning.first))
        if isinstance(declared.meaning, tree.Def) or declared.meaning is None:
            raise DiagnosticError(_function_as_value(node))
        return declared.meaning

    def _velocity(self, node: tree.Dotted, local: Locals) -> Expr:
        operand = self.array(node.operand, local)
        if not isinstance(operand, Parameter) or self.scope.is_input(operand):
            what = messages.shown(node.operand)
            message = f"{what} is not a parameter, and only parameters have a velocity."
            hint = "a transpose is written `.T`"
            raise DiagnosticError(messages.wrong_kind(node.span, message, "no velocity", hint))
        if self._refuse_velocity is not None:
            raise DiagnosticError(self._refuse_velocity(node.span))
        return self._remember(Velocity(operand.name, operand.shape), node.span)

    def _chain_of_operations(self, node: tree.Binary, local: Locals) -> Expr:
        """`a + b - c …`, along the left spine in a loop, because it may be long."""
        steps: list[tree.Binary] = []
        first: tree.Expression = node
        while isinstance(first, tree.Binary) and first.operator != "**":
            steps.append(first)
            first = first.left
        result = self.array(first, local)
        for step in reversed(steps):
            right = self.array(step.right, local)
            if step.operator == "/" and 0 in (self.entries(right) or ()):
                raise DiagnosticError(messages.division_by_zero(step.right.span))
            result = self.apply(_OPERATIONS[step.operator], (result, right), step)
        return result

    def _power(self, node: tree.Binary, local: Locals) -> Expr:
        base = self.array(node.left, local)
        exponent = self.array(node.right, local)
        value = self.value(exponent)
        if value is None:
            raise DiagnosticError(
                messages.bad_exponent(node.right.span, "it is not a constant number")
            )
        if value.denominator > 2:
            reason = f"{value} is neither an integer nor half an integer"
            raise DiagnosticError(messages.bad_exponent(node.right.span, reason))
        if not isinstance(base, Number) and abs(value) > arithmetic.LARGEST_EXPONENT:
            reason = f"its size is beyond {arithmetic.LARGEST_EXPONENT}"
            raise DiagnosticError(messages.bad_exponent(node.right.span, reason))
        if value.denominator == 2 and any(entry < 0 for entry in self.entries(base) or ()):
            raise DiagnosticError(
                messages.bad_exponent(node.span, "it is a root of a negative number")
            )
        if value == 1:
            return base
        if value == 0:
            ones = {"shape": base.shape}
            return self.apply("ones", (), node, **ones) if base.shape else Number(Fraction(1))
        return self.apply("pow", (base,), node, exponent=value)

    def _list(self, node: tree.List | tree.Comprehension, local: Locals) -> Expr:
        items = self.items(node, local) or []
        if not items:
            raise DiagnosticError(
                messages.wrong_kind(node.span, "This list is empty.", "an array needs entries")
            )
        first = items[0][1]
        for origin, item in items:
            if item.shape != first.shape:
                raise DiagnosticError(messages.unequal_list(origin.span, first.shape, item.shape))
        return self.apply("stack", tuple(item for _, item in items), node, axis=0)

    def _chain(self, node: tree.Chain, local: Locals) -> Expr:
        state = self.array(node.start, local)
        for bound in self._each(node.range, node.variable.text, local):
            state = self.array(node.body, {**bound, node.state.text: state})
        return state

    # ------------------------------------------------------------ indices

    def _index(self, node: tree.Index, local: Locals) -> Expr:
        name = node.operand
        if isinstance(name, tree.Name) and name.text not in local:
            declared = self.scope.find(name, local)
            if isinstance(declared.meaning, Members):
                return self._member(name, declared.meaning, node, local)
        operand = self.array(node.operand, local)
        items = positions(self, node, operand.shape, local)
        return self.apply("index", (operand,), node, items=items)

    def _member(self, name: tree.Name, family: Members, node: tree.Index, local: Locals) -> Expr:
        item = node.items[0]
        if len(node.items) != 1 or isinstance(item, tree.Slice):
            raise DiagnosticError(messages.family_takes_one_index(name, node.span))
        index = self.integer(item, "An index of a family", local)
        if index not in family.by_index:
            raise DiagnosticError(
                messages.bad_member(name, item.span, index, family.first, family.last)
            )
        return family.by_index[index]

    # ------------------------------------------------------------ building nodes

    def apply(
        self, operation: str, args: tuple[Expr, ...], node: tree.Expression, **options: Any
    ) -> Expr:
        """The operation on arguments: its shape checked, its value computed where constant."""
        try:
            shape = layers.RULES[operation]([argument.shape for argument in args], options)
        except shapes.Misfit as misfit:
            raise DiagnosticError(explain(misfit, self.scope, node, args)) from None
        if math.prod(shape) > MOST_ENTRIES or len(shape) > shapes.MOST_AXES:
            most = f"{MOST_ENTRIES:,} entries and {shapes.MOST_AXES} axes"
            message = f"This is {shapes.words(shape)}; at most {most} are supported."
            raise DiagnosticError(messages.too_large(node.span, message))
        known = self._compute(operation, args, options, node.span)
        if known is not None and not shape and all(literal(argument) for argument in args):
            return Number(known[0])
        self._nodes += 1
        if self._nodes > MOST_NODES:
            message = f"The model's expressions have more than {MOST_NODES:,} operations."
            self._exhaust(node.span, message)
        result = Apply(operation, args, shape, tuple(sorted(options.items())))
        if known is not None:
            self._known.declare(result, known)
        return self._remember(result, node.span)

    def _exhaust(self, span: Span, message: str) -> NoReturn:
        """Refuse to go on: said once, since every later statement would say it too."""
        first, self._exhausted = not self._exhausted, True
        raise DiagnosticError(*((messages.too_large(span, message),) if first else ()))

    def _remember(self, expr: Expr, span: Span) -> Expr:
        self.spans[expr] = span
        return expr

    def _compute(
        self, operation: str, args: tuple[Expr, ...], options: Mapping[str, Any], span: Span
    ) -> Entries | None:
        self.spend(sum(work(self.entries(argument) or ()) for argument in args), span)
        try:
            return self._known.compute(operation, args, options)
        except arithmetic.TooLarge:
            raise DiagnosticError(_too_many_bits(span)) from None
        except arithmetic.DivisionByZero:
            raise DiagnosticError(messages.division_by_zero(span)) from None


def _too_deep(span: Span) -> Diagnostic:
    return messages.nested_too_deeply(span)


def _too_many_bits(span: Span) -> Diagnostic:
    return messages.number_too_large(span, arithmetic.LARGEST_BITS)


def _function_as_value(node: tree.Name) -> Diagnostic:
    return messages.wrong_kind(
        node.span, f"`{node.text}` is a function.", "not called", f"call it: `{node.text}(…)`"
    )
