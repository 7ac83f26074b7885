"""From the statements of one model to a `Model`, with every independent mistake found on the way.

A statement that depends on a name whose definition is wrong says nothing of its own, so no mistake
is told twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from geoflow.diagnostics import Diagnostic, DiagnosticError, Related, Span
from geoflow.expr.tree import Expr
from geoflow.semantics import claims, flows, maps, messages
from geoflow.semantics.budget import Budget
from geoflow.semantics.decay import Decays
from geoflow.semantics.definitions import Definitions
from geoflow.semantics.expressions import Expressions
from geoflow.semantics.fields import Fields, misplaced, written_out
from geoflow.semantics.geometry import Metrics
from geoflow.semantics.losses import Loss, loss, verify_classes
from geoflow.semantics.matrices import verify_data, verify_outputs
from geoflow.semantics.model import (
    Expectation,
    FieldDeclaration,
    LawClaim,
    MetricBlock,
    Model,
    SearchTerm,
    VerifySettings,
)
from geoflow.semantics.places import (
    LAW,
    Place,
    depends_on_time,
    timeless_law,
)
from geoflow.semantics.points import point
from geoflow.semantics.resolved import resolved_text
from geoflow.semantics.scope import Scope
from geoflow.semantics.sweeps import sweep
from geoflow.syntax import tree
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


@dataclass(frozen=True)
class Elaborated:
    """A model with its names. `partial` is all that is known of it; it is a `model` only where
    nothing is wrong.
    """

    opened: Opened
    partial: Model
    scope: Scope
    diagnostics: tuple[Diagnostic, ...]
    silent: bool

    @property
    def model(self) -> Model | None:
        """The checked model, or None where something is wrong."""
        return None if self.diagnostics or self.silent else self.partial


def elaborate(
    opened: Opened, overrides: Mapping[str, tree.Expression], budget: Budget
) -> Elaborated:
    """What the statements of a model say, and what is wrong with them."""
    elaboration = _Elaboration(opened, overrides, budget)
    model = elaboration.model()
    scope, problems = elaboration.definitions.scope, tuple(elaboration.diagnostics)
    return Elaborated(opened, model, scope, problems, elaboration.silent)


class _Elaboration:
    """One model on its way. `silent`: a statement was dropped because of a mistake reported
    elsewhere.
    """

    def __init__(self, opened: Opened, overrides: Mapping[str, tree.Expression], budget: Budget):
        self.opened = opened
        self.diagnostics: list[Diagnostic] = []
        self.silent = False
        self.written_out = written_out(opened.statements)
        self.statements: list[tree.Statement] = []  # those that belong to this kind of model
        scope = Scope(open=opened.incomplete, broken=_unreadable_names(opened.statements))
        for statement in opened.statements:
            problem = misplaced(statement, self.written_out)
            if problem is None:
                self.statements.append(statement)
                continue
            self.diagnostics.append(problem)
            scope.broken |= _data_names(statement)
        expressions = Expressions(scope, budget, self._refuse_velocity())
        self.definitions = Definitions(expressions, overrides)

    def model(self) -> Model:
        """Elaborate every statement in the order that lets each see what it needs."""
        for statement in self.statements:
            self._attempt(self.definitions.declare, statement)
        self.definitions.evaluate()
        self.diagnostics += self.definitions.diagnostics
        flow = self._flow()
        trained = self._maps()
        seen = tuple(expression for expression, _ in trained)
        decays = Decays(self.definitions, flow)
        for statement in self._all(tree.Decay):
            self._attempt(decays.add, statement)
        metrics = self._metrics(flow, seen)
        losses = self._loss(seen)
        fields = self._fields()
        laws = self._laws(self._law_place(flow, fields))
        expectations = self._expectations()
        search, verify = self._settings()
        at = self._only("at", tree.AtNamed, tree.AtPoint)
        gates = self._only("gates", tree.Gates)
        family = self._only("sweep", tree.Sweep)
        flow = flow or flows.Flow()
        return Model(
            name=self.opened.name,
            span=self.opened.span,
            constants=self._declared(self.definitions.constants),
            parameters=tuple(
                p for members in self._declared(self.definitions.parameters) for p in members
            ),
            maps=seen,
            map_text=maps.map_text([text for _, text in trained]),
            metrics=metrics,
            order=flow.order,
            damping=flow.damping,
            laws=laws,
            expectations=expectations,
            search=search,
            verify=verify,
            accelerated=flow.accelerated,
            flow_kind=flow.kind,
            flow_options=flow.options,
            decay=tuple(decays.declared),
            loss=losses.kind,
            loss_points=losses.points,
            at=at and self._attempt(lambda s: point(self.definitions, s), at),
            controls=tuple(
                (name, self.definitions.controls[name])
                for name in self.definitions.declared
                if name in self.definitions.controls
            ),
            fields=fields,
            network=bool(self._all(tree.Network)),
            inputs=self._declared(self.definitions.inputs),
            gates=(gates and self._attempt(maps.gates, gates)) or "lifted",
            sweep=family and self._attempt(lambda s: sweep(self.definitions, s), family),
            text=resolved_text(
                self.opened.name, self.opened.statements, self.definitions.overrides
            ),
        )

    # ------------------------------------------------------------ statements by kind

    def _all(self, *kinds: type[_Statement]) -> list[_Statement]:
        return [statement for statement in self.statements if isinstance(statement, kinds)]

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

    def _only(self, word: str, *kinds: type[_Statement]) -> _Statement | None:
        """The one statement of some kinds; a second is a mistake."""
        found = self._all(*kinds)
        for again in found[1:]:
            message = f"`{word}` is given twice."
            related = (Related(found[0].span, "given first here"),)
            self.diagnostics.append(
                Diagnostic("GEO0407", message, again.span, "given again", related=related)
            )
        return found[0] if found else None

    # ------------------------------------------------------------ how the parameters move

    def _refuse_velocity(self) -> Callable[[Span], Diagnostic] | None:
        """What is wrong with a velocity; nothing in a flow of order 2, or of one that cannot be read."""
        if self.written_out:
            return messages.no_velocity_written_out
        if self._broken("flow"):
            return None
        if self._all(tree.AdaptiveFlow):
            return messages.no_velocity_of_adaptive
        order_one = all(statement.order.text == "1" for statement in self._all(tree.Flow))
        return messages.no_velocity if order_one else None

    def _flow(self) -> flows.Flow | None:
        """The flow; None where its statement is wrong: then nothing is known of velocities."""
        statement = self._only("flow", tree.Flow, tree.AdaptiveFlow)
        if statement is None:
            return None if self._broken("flow") else flows.Flow()
        return self._attempt(lambda s: flows.flow(self.definitions, s), statement)

    def _metrics(self, flow: flows.Flow | None, maps: tuple[Expr, ...]) -> tuple[MetricBlock, ...]:
        metrics = Metrics(self.definitions)

        def add(statement: tree.Metric) -> None:
            block = metrics.add(statement)
            verify_outputs(block, maps)
            if not self._broken("network"):
                verify_data(block, bool(self._all(tree.Network)))
            if flow is not None:
                flows.verify_metric(flow, block)

        statements = self._all(tree.Metric)
        for statement in statements:
            self._attempt(add, statement)
        whole = len(metrics.blocks) == len(statements) and not self._broken("metric")
        for statement in self._all(tree.Flow, tree.AdaptiveFlow)[:1]:
            if flow is not None and whole:
                self._attempt(
                    lambda s: flows.verify_accelerated(flow, s.span, metrics.blocks), statement
                )
            if flow is not None:
                self._attempt(lambda s: flows.verify_power(flow, s.span, maps), statement)
        return () if self.written_out else metrics.complete(self.opened.span)

    def _loss(self, maps: tuple[Expr, ...]) -> Loss:
        statement = self._only("loss", tree.Loss)
        found = statement and self._attempt(lambda s: loss(self.definitions, s), statement)
        if statement and found and found.kind == "cross_entropy":
            self._attempt(
                lambda s: verify_classes(maps, "Cross-entropy", s.span, "GEO0409"), statement
            )
        return found or Loss()

    def _fields(self) -> tuple[FieldDeclaration, ...]:
        fields = Fields(self.definitions)
        statements = self._all(tree.Field)
        for statement in statements:
            self._attempt(fields.add, statement)
        whole = len(fields.declared) == len(statements) and not self._broken("field")
        for statement in self._all(tree.Field, tree.Control)[:1] if whole else ():
            self._attempt(lambda _: fields.verify_complete(self.opened.span), statement)
        return tuple(fields.declared)

    def _law_place(self, flow: flows.Flow | None, fields: Sequence[FieldDeclaration]) -> Place:
        """Laws depend on the time only where it is a coordinate."""
        if self.written_out:
            timed = len(fields) < len(self._all(tree.Field))
            timed = timed or any(depends_on_time(field.expression) for field in fields)
            return LAW if timed else timeless_law("fields without `t`")
        if flow is not None and flow.kind in ("adam", "rmsprop"):
            return replace(LAW, moments=("m", "w") if flow.kind == "adam" else ("w",))
        if flow is None or flow.order == 2:
            return LAW
        timed = bool(self._all(tree.Decay)) or self._broken("decay")
        return LAW if timed else timeless_law(flow.text)

    # ------------------------------------------------------------ what is trained, what is claimed

    def _maps(self) -> list[tuple[Expr, str]]:
        found: list[tuple[Expr, str]] = []
        names: dict[str, tree.Name] = {}
        statements = self._all(tree.Map, tree.Network)
        for statement in statements:
            self._unique(names, statement.name)
            found += self._attempt(lambda s: maps.maps(self.definitions, s), statement) or []
        if not any(diagnostic.code == "GEO0410" for diagnostic in self.diagnostics):
            self.diagnostics += maps.mixed(self.statements)
        if not statements and not self.written_out and not self._broken("map", "network", "field"):
            self.diagnostics.append(maps.missing(self.opened.name, self.opened.span))
        return found

    def _laws(self, place: Place) -> tuple[LawClaim, ...]:
        names: dict[str, tree.Name] = {}
        laws: list[LawClaim] = []
        for statement in self._all(tree.Law):
            self._unique(names, statement.name)
            law = self._attempt(lambda s: claims.law(self.definitions, s, place), statement)
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
        search = self._only("search", tree.Search)
        terms = search and self._attempt(lambda s: claims.search(self.definitions, s), search)
        verify = self._only("verify", tree.Verify)
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

    def _broken(self, *of: str) -> bool:
        """Whether a statement that could not be parsed may have been one with one of these words."""
        for statement in self._all(tree.Broken):
            words = re.findall(r"[^\W\d]\w*", statement.text)
            if set(of) & set(words) or not words or words[0] not in STATEMENT_WORDS:
                return True
        return False


def _unreadable_names(statements: Sequence[tree.Statement]) -> set[str]:
    """Names of which nothing is known: the words of statements that could not be parsed, since they
    may have declared any of them.
    """
    names: set[str] = set()
    for statement in statements:
        if isinstance(statement, tree.Broken):
            names.update(re.findall(r"[^\W\d]\w*", statement.text))
    return names


def _data_names(statement: tree.Statement) -> set[str]:
    """The controls or inputs that a statement declares."""
    if isinstance(statement, tree.Control):
        return {statement.name.text}
    return (
        {item.name.text for item in statement.items} if isinstance(statement, tree.Input) else set()
    )
