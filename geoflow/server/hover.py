"""What a word means, as Markdown."""

from __future__ import annotations

from geoflow.expr.tree import Expr, Number
from geoflow.semantics.elaborate import Elaborated
from geoflow.semantics.model import ParameterDeclaration
from geoflow.semantics.scope import Declared, Members
from geoflow.semantics.shapes import words
from geoflow.semantics.signatures import FUNCTIONS as SIGNATURES
from geoflow.server.pointing import Pointed
from geoflow.server.verdicts import Verdicts
from geoflow.server.words import FUNCTIONS, OPTIONS, STATEMENTS, WITHIN
from geoflow.syntax import printer, tree

_MOST_MEMBERS = 12
_NO_VERDICTS = Verdicts()


def hover(pointed: Pointed, verdicts: Verdicts = _NO_VERDICTS) -> str | None:
    """What there is to say of a word; None for nothing."""
    if pointed.binder is not None:
        return _local(*pointed.binder, pointed.word)
    if isinstance(pointed.parent, tree.Call) and pointed.parent.function is pointed.name:
        called = pointed.word in SIGNATURES and pointed.declared is None
        return _function(pointed.word) if called else _declared(pointed)
    return (
        _option(pointed)
        or _defined(pointed, verdicts)
        or _declared(pointed)
        or (_keyword(pointed) if pointed.name is None else None)
    )


def _keyword(pointed: Pointed) -> str | None:
    word, source = pointed.word, pointed.span.source
    begins = not source.line(pointed.span.line)[: pointed.span.column - 1].strip()
    inside = not begins or word not in STATEMENTS
    return (WITHIN.get(word) if inside else None) or STATEMENTS.get(word)


def _local(node: tree.Node, bound: tree.Name, word: str) -> str:
    match node:
        case tree.Chain() if bound is node.state:
            return f"`{word}`: the state of the chain, {printer.text(node.start)} at first"
        case tree.Chain() | tree.Comprehension():
            ends = f"{printer.text(node.range.first)} to {printer.text(node.range.last)}"
            return f"`{word}`: an index, {ends}"
        case tree.ParamItem() | tree.DimItem():
            return f"`{word}`: the index of the family `{node.name.text}`"
        case tree.Def():
            return f"`{word}`: an argument of `{node.name.text}`"
        case _:
            return f"`{word}`: the variable of this function"


# ---------------------------------------------------------------- options and functions


def _option(pointed: Pointed) -> str | None:
    """The meaning of a word that belongs to a statement: a metric, a potential, a setting."""
    first = pointed.statement.span.text.split(maxsplit=1)[0] if pointed.statement else ""
    first = "verify" if first.startswith("verify") else first
    for node in pointed.above[:0:-1]:
        if isinstance(node, tree.Setting) and node.name is pointed.name:
            return OPTIONS["verify"].get(pointed.word)
        if isinstance(node, tree.Setting) and node.name.text == "loss":
            return OPTIONS["verify loss"].get(pointed.word)
        if isinstance(node, tree.Option):
            if node.name is pointed.name:
                return OPTIONS.get(first, {}).get(pointed.word)
            known = OPTIONS.get(node.name.text, {}) | OPTIONS["output"]
            return known.get(pointed.word) if node.name.text in ("mirror", "fisher") else None
    if isinstance(pointed.statement, tree.AtNamed | tree.Gates):
        return OPTIONS[first].get(pointed.word)
    return None


def signature(name: str) -> str:
    """How a function is called; arguments in brackets may be left out."""
    given = [word if needed else f"[{word}]" for word, _, needed in SIGNATURES[name].parameters]
    return f"{name}({', '.join(given)})"


def _function(name: str) -> str:
    return f"`{signature(name)}`\n\n{FUNCTIONS[name]}"


# ---------------------------------------------------------------- names of the model


def _defined(pointed: Pointed, verdicts: Verdicts) -> str | None:
    """Laws, maps and models, which have names but no place in expressions."""
    statement, part = pointed.statement, pointed.part
    if part is None or pointed.parent is not statement or pointed.name is None:
        return None
    if isinstance(statement, tree.ModelLine):
        found = verdicts.of_model(part.opened.name)
        return "\n\n".join((f"model `{part.opened.name}`: {_counted(part)}", *found))
    if isinstance(statement, tree.Law) and pointed.name is statement.name:
        found = next((law for law in part.partial.laws if law.span == statement.span), None)
        if found is None:
            return None
        shape = words(found.expression.shape)
        lines = verdicts.of_law(part.opened.name, found.name, found.text)
        return "\n\n".join((f"`{found.name}`: a law, {shape}", *lines))
    if isinstance(statement, tree.Map | tree.Network) and pointed.name is statement.name:
        shapes = [words(each.shape) for each in part.partial.maps]
        return f"`{pointed.word}`: " + (", ".join(shapes) if shapes else "not known")
    return None


def _counted(part: Elaborated) -> str:
    entries = sum(_entries(each) for each in part.partial.parameters)
    return f"{entries} parameter{'s' * (entries != 1)}"


def _entries(parameter: ParameterDeclaration) -> int:
    entries = 1
    for size in parameter.shape:
        entries *= size
    return entries


def _declared(pointed: Pointed) -> str | None:
    declared = pointed.declared
    if declared is None or pointed.part is None:
        return None
    written = _written(declared, pointed.part)
    return f"```geo\n{written}\n```\n{_described(declared, pointed.part)}" if written else None


def _written(declared: Declared, part: Elaborated) -> str:
    """The statement that declares a name, with that name alone."""
    for statement in part.opened.statements:
        match statement:
            case tree.Let() | tree.Def() if statement.name.text == declared.name:
                return printer.text(statement)
            case tree.Control() if statement.name.text == declared.name:
                return printer.text(statement)
            case tree.Param() | tree.Dim() | tree.Const() | tree.Input():
                for item in statement.items:
                    if item.name.text == declared.name:
                        alone = type(statement)(statement.span, (item,))  # type: ignore[arg-type]
                        return printer.text(alone)
    return ""


def _described(declared: Declared, part: Elaborated) -> str:
    meaning = declared.meaning
    if meaning is None:
        return f"`{declared.name}`: its definition is wrong"
    if isinstance(meaning, tree.Def):
        return f"`{declared.name}`: a function"
    if isinstance(meaning, Members):
        return _family(declared.name, meaning)
    if isinstance(meaning, Number):
        return f"`{declared.name}` = {meaning.value}"
    if declared.kind == "constant":
        value = next((c.value for c in part.partial.constants if c.name == declared.name), None)
        shown = "a symbolic constant" if value is None else f"= {value}"
        return f"`{declared.name}` {shown}"
    kind = "an expression" if declared.kind == "let" else f"{_article(declared.kind)}"
    return f"`{declared.name}`: {kind}, {words(meaning.shape)}"


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _family(name: str, members: Members) -> str:
    lines = [f"`{name}`: a family, {members.first} to {members.last}", ""]
    for index, member in list(members.by_index.items())[:_MOST_MEMBERS]:
        lines.append(f"- `{name}[{index}]`: {_member(member)}")
    if len(members.by_index) > _MOST_MEMBERS:
        lines.append(f"- and {len(members.by_index) - _MOST_MEMBERS} more")
    return "\n".join(lines)


def _member(member: Expr) -> str:
    return str(member.value) if isinstance(member, Number) else words(member.shape)
