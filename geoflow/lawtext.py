"""A law of one's own, as text, for a flow made in Python: read by the language's own parser.

The text is put into a model that declares the flow's parameters, so that it is read, and refused, as in a file. Names
that the language has no way to write (`layers.0.weight`, `W[1]`) are replaced by names of the same length, which keeps
every column of a message where it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count

from geoflow.diagnostics import Diagnostic, DiagnosticError, Source, Span
from geoflow.dynamics import Adam, RMSProp
from geoflow.expr.tree import Apply, Expr, Parameter, Velocity, walk
from geoflow.flow import Flow
from geoflow.semantics import load_text
from geoflow.semantics.model import Model

_NAME = re.compile(r"[^\W\d]\w*\Z")
_MOST_TOLD = 8
_RESERVED = frozenset(("t", "in", "on", "when", "for", "chain"))


def read_law(flow: Flow, text: str) -> Model:
    """A model that claims the law, with the names of the flow; its map is none of the flow's.

    Raises:
        DiagnosticError: the text is no expression in the flow's parameters.
    """
    text = re.sub(r"[\r\n]", " ", text)
    names = _Names.of(flow, text)
    head = _declarations(flow, names)
    before = f"{head}law own = "
    models, found = load_text(f"{before}{names.written(text)}\n", "<law>")
    if errors := [d for d in found if d.severity == "error"]:
        source = Source("<law>", text)
        raise DiagnosticError(*(names.said(d, source, len(before)) for d in errors))
    (model,) = models
    (claim,) = model.laws
    span = Span(Source("<law>", text), 0, len(text))
    expression = names.restored(claim.expression)
    return replace(
        model, laws=(replace(claim, name="law", expression=expression, text=text, span=span),)
    )


def _declarations(flow: Flow, names: _Names) -> str:
    lines = ["model own"]
    for name, value in flow.constants.items():
        if _NAME.match(name):
            lines.append(f"const {name} " + ("symbolic" if value is None else f"= {value}"))
    for block in flow.parameters:
        size = f"[{', '.join(map(str, block.shape))}]" if block.shape else ""
        sign = " > 0" if block.positive else ""
        lines.append(f"param {names.own[block.name]}{size}{sign}")
    lines.append(f"map phi = {names.own[flow.parameters[0].name]}")
    if flow.order == 2:
        lines.append("flow order 2 damping 1")
    elif isinstance(flow.dynamics, Adam):
        lines.append("flow adam(b1 = 1/2, b2 = 1/2)")
    elif isinstance(flow.dynamics, RMSProp):
        lines.append("flow rmsprop(b2 = 1/2)")
    elif flow.dynamics.decay is not None:
        lines.append("decay 1")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class _Names:
    """`own`: the name in the text that is read, by the flow's."""

    own: Mapping[str, str]

    @staticmethod
    def of(flow: Flow, text: str) -> _Names:
        plain = {b.name for b in flow.parameters if _NAME.match(b.name)} - _RESERVED
        taken = plain | set(flow.constants) | set(re.findall(r"\w+", text))
        own = {name: name for name in plain}
        for block in flow.parameters:
            if block.name not in own:
                own[block.name] = next(n for n in _fresh(len(block.name)) if n not in taken)
                taken.add(own[block.name])
        return _Names(own)

    def written(self, text: str) -> str:
        """The text with names that can be read."""
        return self._replaced(text, {a: b for a, b in self.own.items() if a != b})

    def _back(self, text: str) -> str:
        return self._replaced(text, {b: a for a, b in self.own.items() if a != b})

    @staticmethod
    def _replaced(text: str, by: Mapping[str, str]) -> str:
        if not by:
            return text
        longest = sorted(by, key=len, reverse=True)
        pattern = rf"(?<![\w.])({'|'.join(map(re.escape, longest))})(?!\w)"
        return re.sub(pattern, lambda m: by[m[1]], text)

    def restored(self, root: Expr) -> Expr:
        """The expression with the flow's names."""
        given = {b: a for a, b in self.own.items()}
        moments = {f"{w}({b})": f"{w}({a})" for b, a in given.items() for w in "mw"}
        done: dict[int, Expr] = {}
        for node in walk(root):
            match node:
                case Parameter(name, shape):
                    done[id(node)] = Parameter((given | moments)[name], shape)
                case Velocity(name, shape):
                    done[id(node)] = Velocity(given[name], shape)
                case Apply():
                    arguments = tuple(done[id(a)] for a in node.arguments)
                    done[id(node)] = replace(node, arguments=arguments)
                case _:
                    done[id(node)] = node
        return done[id(root)]

    def said(self, d: Diagnostic, source: Source, offset: int) -> Diagnostic:
        """A diagnostic of the text that was given."""
        span, hints = None, d.hints
        if d.code == "GEO0201" and d.fix is None:  # nothing can be declared in a law
            known = ", ".join(f"`{name}`" for name in sorted(self.own)[:_MOST_TOLD])
            more = " …" if len(self.own) > _MOST_TOLD else ""
            hints = (f"the parameters of the flow: {known}{more}",)
        if d.span is not None and d.span.start >= offset:
            last = len(source.text)
            span = Span(source, min(d.span.start - offset, last), min(d.span.end - offset, last))
        return Diagnostic(
            d.code,
            self._back(d.message),
            span,
            self._back(d.label),
            notes=tuple(map(self._back, d.notes)),
            hints=tuple(map(self._back, hints)),
        )


def _fresh(length: int) -> Iterator[str]:
    """Names of a length, or longer where there are no more."""
    return (f"q{number}".ljust(length, "_") for number in count())
