"""From the statements of one model to a `Model`, with every independent mistake found on the way.

A statement that depends on a name whose definition is wrong says nothing of its own, so no mistake
is told twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from geoflow.diagnostics import Diagnostic, DiagnosticError, Related, Span
from geoflow.expr.tree import Expr
from geoflow.semantics import claims, geometry, messages
from geoflow.semantics.definitions import Definitions
from geoflow.semantics.expressions import NO_LOCALS, Expressions
from geoflow.semantics.model import Expectation, LawClaim, Model, SearchTerm, VerifySettings
from geoflow.semantics.places import MAP, depends_on_parameters, verify_place
from geoflow.semantics.scope import Scope
from geoflow.semantics.unsupported import unsupported
from geoflow.syntax import printer, tree
from geoflow.syntax.layout import STATEMENT_WORDS

_Result = TypeVar("_Result")
_Statement = TypeVar("_Statement", bound=tree.Node)


@dataclass(frozen=True)
class Opened:
    """The statements of one model, the shared ones first; `incomplete`: a file it uses could not be
    read.
    """

    name: str
    span: Span
    statements: tuple[tree.Statement, ...]
    incomplete: bool = False


def elaborate(
    opened: Opened, overrides: Mapping[str, tree.Expression]
) -> tuple[Model | None, tuple[Diagnostic, ...]]:
    """The checked model, or None and what is wrong."""
    elaboration = _Elaboration(opened, overrides)
    model = elaboration.model()
    problems = tuple(elaboration.diagnostics)
    return (None if problems or elaboration.silent else model), problems


class _Elaboration:
    """One model on its way. `silent`: a statement was dropped because of a mistake reported
    elsewhere.
    """

    def __init__(self, opened: Opened, overrides: Mapping[str, tree.Expression]):
        self.opened = opened
        self.diagnostics: list[Diagnostic] = []
        self.silent = False
        scope = Scope(open=opened.incomplete, broken=_unreadable_names(opened.statements))
        expressions = Expressions(scope, velocities=not self._order_one())
        self.definitions = Definitions(expressions, overrides)

    def model(self) -> Model:
        """Elaborate every statement in the order that lets each see what it needs."""
        for statement in self.opened.statements:
            self.definitions.declare(statement)
            self._attempt(unsupported, statement)
        self.definitions.evaluate()
        self.diagnostics += self.definitions.diagnostics
        flow = self._flow()
        maps = self._maps()
        metrics = geometry.Metrics(self.definitions)
        for statement in self._all(tree.Metric):
            self._attempt(metrics.add, statement)
        laws = self._laws()
        expectations = self._expectations()
        search, verify = self._settings()
        return Model(
            name=self.opened.name,
            span=self.opened.span,
            constants=self._declared(self.definitions.constants),
            parameters=tuple(
                p for members in self._declared(self.definitions.parameters) for p in members
            ),
            maps=tuple(expression for expression, _ in maps),
            map_text=_map_text([text for _, text in maps]),
            metrics=metrics.complete(self.opened.span),
            order=flow.order if flow else 1,
            damping=flow.damping if flow else None,
            laws=laws,
            expectations=expectations,
            search=search,
            verify=verify,
        )

    # ------------------------------------------------------------ statements by kind

    def _all(self, *kinds: type[_Statement]) -> list[_Statement]:
        return [statement for statement in self.opened.statements if isinstance(statement, kinds)]

    def _attempt(
        self, do: Callable[[_Statement], _Result], statement: _Statement
    ) -> _Result | None:
        """What the statement gives; a mistake in it is collected."""
        try:
            return do(statement)
        except DiagnosticError as error:
            self.diagnostics += error.diagnostics
            self.silent = True
            return None

    def _only(self, kind: type[_Statement], word: str) -> _Statement | None:
        """The one statement of a kind; a second is a mistake."""
        found = self._all(kind)
        for again in found[1:]:
            message = f"`{word}` is given twice."
            related = (Related(found[0].span, "given first here"),)
            self.diagnostics.append(
                Diagnostic("GEO0407", message, again.span, "given again", related=related)
            )
        return found[0] if found else None

    def _order_one(self) -> bool:
        """Whether the flow has order 1; not where that cannot be read."""
        if self._all(tree.AdaptiveFlow) or self._broken("flow"):
            return False
        return all(statement.order.text == "1" for statement in self._all(tree.Flow))

    def _flow(self) -> geometry.Flow | None:
        """The flow; None where its statement is wrong: then nothing is known of velocities."""
        statement = self._only(tree.Flow, "flow")
        if statement is None:
            other = self._all(tree.AdaptiveFlow) or self._broken("flow")
            return None if other else geometry.Flow(1, None)
        return self._attempt(lambda s: geometry.flow(self.definitions, s), statement)

    def _maps(self) -> list[tuple[Expr, str]]:
        maps: list[tuple[Expr, str]] = []
        names: dict[str, tree.Name] = {}
        statements = self._all(tree.Map)
        for statement in statements:
            self._unique(names, statement.name)
            maps += self._attempt(self._map, statement) or []
        if not statements and not self._all(tree.Network, tree.Field) and not self._broken("map"):
            message = f"The model `{self.opened.name}` has no map."
            hint = "write `map phi = …`: all that the data and the loss can see of the parameters"
            self.diagnostics.append(Diagnostic("GEO0406", message, self.opened.span, hints=(hint,)))
        return maps

    def _map(self, statement: tree.Map) -> list[tuple[Expr, str]]:
        expressions = self.definitions.expressions
        value = statement.value
        listed = expressions.items(value, NO_LOCALS)
        entries = [(value, expressions.array(value))] if listed is None else listed
        if not entries:
            raise DiagnosticError(
                messages.wrong_kind(value.span, "This list of maps is empty.", "no map")
            )
        for origin, expression in entries:
            verify_place(expressions, expression, MAP, origin.span)
        if not any(depends_on_parameters(expression) for _, expression in entries):
            message = f"The map `{statement.name.text}` does not depend on any parameter."
            raise DiagnosticError(Diagnostic("GEO0408", message, value.span, "constant"))
        if isinstance(value, tree.Comprehension):
            return [(expression, "") for _, expression in entries[:-1]] + [
                (entries[-1][1], printer.text(value))
            ]
        return [(expression, printer.text(origin)) for origin, expression in entries]

    def _laws(self) -> tuple[LawClaim, ...]:
        names: dict[str, tree.Name] = {}
        laws: list[LawClaim] = []
        for statement in self._all(tree.Law):
            self._unique(names, statement.name)
            law = self._attempt(lambda s: claims.law(self.definitions, s), statement)
            if law is not None:
                laws.append(law)
        return tuple(laws)

    def _expectations(self) -> tuple[Expectation, ...]:
        kinds = (tree.ExpectLaws, tree.ExpectNoLaws, tree.ExpectProperty, tree.ExpectDepth)
        found = [
            self._attempt(lambda s: claims.expectation(self.definitions, s), statement)
            for statement in self._all(*kinds)
        ]
        return tuple(expectation for expectation in found if expectation is not None)

    def _settings(self) -> tuple[tuple[SearchTerm, ...] | None, VerifySettings]:
        search = self._only(tree.Search, "search")
        terms = search and self._attempt(lambda s: claims.search(self.definitions, s), search)
        verify = self._only(tree.Verify, "verify")
        settings = verify and self._attempt(claims.verification, verify)
        return terms or None, settings or VerifySettings()

    # ------------------------------------------------------------ what spans statements

    def _unique(self, names: dict[str, tree.Name], name: tree.Name) -> None:
        if name.text in names:
            self.diagnostics.append(messages.defined_twice(name, names[name.text].span))
        names.setdefault(name.text, name)

    def _declared(self, by_name: Mapping[str, _Result]) -> tuple[_Result, ...]:
        """In the order of declaration, not that of evaluation."""
        return tuple(by_name[name] for name in self.definitions.declared if name in by_name)

    def _broken(self, word: str) -> bool:
        """Whether a statement that could not be parsed may have been one with this word."""
        for statement in self._all(tree.Broken):
            words = re.findall(r"[^\W\d]\w*", statement.text)
            if word in words or not words or words[0] not in STATEMENT_WORDS:
                return True
        return False


def _unreadable_names(statements: Sequence[tree.Statement]) -> set[str]:
    """Names of which nothing is known: the words of statements that could not be parsed, since they
    may have declared any of them, and what statements that are not supported yet declare.
    """
    names: set[str] = set()
    for statement in statements:
        if isinstance(statement, tree.Broken):
            names.update(re.findall(r"[^\W\d]\w*", statement.text))
        elif isinstance(statement, tree.Input | tree.Control | tree.Network):
            names.add(statement.name.text)
    return names


def _map_text(texts: Sequence[str]) -> str:
    shown = [text for text in texts if text]
    return shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"
