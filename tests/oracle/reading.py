"""A `.geo` text as the oracle reads it: line by line, with names bound to arrays of symbols."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import sympy

from .evaluation import PLAIN, TIME, Evaluator, Gates, Unread, array, piecewise

WORDS = (
    *("model", "dim", "const", "param", "input", "let", "def", "map", "network", "metric", "flow"),
    *(
        "decay",
        "loss",
        "at",
        "control",
        "field",
        "gates",
        "law",
        "expect",
        "search",
        "verify",
        "use",
    ),
)


STANDARD = Path(__file__).parents[2] / "geoflow"  # definitions in the language, and nothing else


@dataclass(frozen=True)
class MetricLine:
    """`metric KIND on …`: the kind with its arguments, and the names of the parameters."""

    text: str
    on: tuple[str, ...]


@dataclass(frozen=True)
class DecayLine:
    """`decay RATE on …`."""

    rate: Any
    on: tuple[str, ...]
    coupling: str


@dataclass
class Reading:
    """Everything that a text says."""

    names: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)  # arrays, members of families apart
    positive: set[str] = field(default_factory=set)
    symbolic: list[Any] = field(default_factory=list)
    inputs: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    controls: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    timed: bool = False  # a field is written with t, whatever it comes to
    maps: list[Any] = field(default_factory=list)
    network: bool = False
    metrics: list[MetricLine] = field(default_factory=list)
    flow: str = "order 1"
    decays: list[DecayLine] = field(default_factory=list)
    loss: str = "any"
    claims: list[tuple[str, str]] = field(default_factory=list)  # a law's name and text
    expectations: list[str] = field(default_factory=list)
    gates: Gates = field(default_factory=Gates)

    @property
    def state(self) -> tuple[Any, ...]:
        """The parameters' symbols, in order."""
        return tuple(x for p in self.parameters.values() for x in p.ravel())

    def value(self, text: str, ragged: bool = False) -> Any:
        """The value of an expression."""
        return Evaluator(self.names, ragged).text(text)

    def members(self, targets: str | None) -> tuple[str, ...]:
        """The parameters that `U, W[1], W` names."""
        if targets is None:
            return tuple(self.parameters)
        found: list[str] = []
        for name in (n.strip() for n in targets.split(",")):
            own = [p for p in self.parameters if p == name or p.startswith(f"{name}[")]
            if not own:
                raise Unread(f"the parameter {name}")
            found += own
        return tuple(found)


def statements(text: str) -> list[str]:
    """One string a statement."""
    found: list[str] = []
    depth = 0
    for raw in text.splitlines():
        line = raw.split("#", 1)[0].rstrip()
        if not line.strip():
            continue
        if depth:
            found[-1] += " " + line.strip()
        else:
            found.append(line.strip())
        depth += sum(line.count(c) for c in "([{") - sum(line.count(c) for c in ")]}")
    return found


def pieces(text: str) -> list[str]:
    """Split at commas outside of brackets."""
    found, depth = [""], 0
    for c in text:
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(c, 0)
        if c == "," and depth == 0:
            found.append("")
        else:
            found[-1] += c
    return [p.strip() for p in found]


def read(text: str) -> Reading:
    """The one model of a text. `let` and `def` are read where they stand.

    Raises:
        Unread: a part of the language that the oracle does not know.
    """
    model = Reading()
    model.names.update(PLAIN)
    model.names.update(piecewise(model.gates))
    model.names["t"] = array(TIME)
    for statement in statements(text):
        word, _, rest = statement.partition(" ")
        if word not in WORDS:
            raise Unread(statement)
        _read_one(model, word, rest.strip())
    return model


def _read_one(model: Reading, word: str, rest: str) -> None:
    match word:
        case "model" | "search" | "verify" | "at":
            pass
        case "use":
            path = rest.strip('"')
            if not path.startswith("std/"):
                raise Unread(rest)
            for each in statements((STANDARD / path).read_text("utf-8")):
                own, _, more = each.partition(" ")
                _read_one(model, own, more.strip())
        case "dim":
            for item in pieces(rest):
                _dim(model, item)
        case "const":
            for item in pieces(rest):
                _const(model, item)
        case "param" | "input" | "control":
            for item in pieces(rest):
                _declare(model, word, item)
        case "let":
            name, _, value = rest.partition("=")
            model.names[name.strip()] = model.value(value)
        case "def":
            _define(model, rest)
        case "map" | "network":
            value = model.value(rest.partition("=")[2], ragged=True)
            model.maps += [array(v) for v in (value if isinstance(value, list) else [value])]
            model.network = model.network or word == "network"
        case "metric":
            kind, _, on = rest.partition(" on ")
            model.metrics.append(MetricLine(kind.strip(), model.members(on or None)))
        case "flow":
            model.flow = rest
        case "decay":
            coupling = next((c for c in ("decoupled", "coupled") if rest.endswith(c)), "")
            rate, _, on = rest.removesuffix(coupling).strip().partition(" on ")
            value = model.value(rate).item()
            model.decays.append(DecayLine(value, model.members(on or None), coupling))
        case "loss":
            model.loss = rest
        case "field":
            target, _, value = rest.partition("=")
            model.fields[target.strip().removesuffix("'")] = model.value(value)
            model.timed |= bool(re.search(r"\bt\b", value))
        case "gates":
            if rest != "lifted":
                raise Unread("gates real")
        case "law":
            name, _, value = rest.partition("=")
            model.claims.append((name.strip(), value.strip()))
        case "expect":
            model.expectations.append(rest)


def _dim(model: Reading, item: str) -> None:
    left, _, right = item.partition("=")
    family = re.fullmatch(r"(\w+)\[(?:(\w+) in )?(.+)\.\.(.+)\]", left.strip())
    if not family:
        model.names[left.strip()] = model.value(right)
        return
    name, index, first, last = family.groups()
    places = range(int(model.value(first).item()), int(model.value(last).item()) + 1)
    if index:
        names = model.names
        values = [Evaluator({**names, index: array(i)}).text(right) for i in places]
    else:
        values = list(model.value(right))
    model.names[name] = {i: array(v) for i, v in zip(places, values, strict=True)}


def _const(model: Reading, item: str) -> None:
    if item.endswith(" symbolic"):
        symbol = sympy.Symbol(item.split()[0], positive=True)
        model.symbolic.append(symbol)
        model.names[item.split()[0]] = array(symbol)
    else:
        name, _, value = item.partition("=")
        model.names[name.strip()] = model.value(value)


def symbols(name: str, shape: tuple[int, ...]) -> Any:
    """Entry (i, j) of U is the symbol U_i_j; real, and positive as the oracle's points are."""
    found = np.empty(shape, dtype=object)
    for place in np.ndindex(*shape):
        found[place] = sympy.Symbol("_".join([name, *map(str, place)]), positive=True)
    return found


def _declare(model: Reading, word: str, item: str) -> None:
    item, _, below = item.partition(" below ")
    declared = re.fullmatch(r"(\w+)(\[\w+ in [^\]]*\.\.[^\]]*\])?(\[.*\])?(?: >=? 0)?", item)
    if declared is None:
        raise Unread(item)
    name, family, shape = declared.groups()
    positive = item.endswith(" 0")
    if family is None:
        made = _shaped(model, word, name, shape, {}, positive, below)
        model.names[name] = made
        return
    index, first, last = re.fullmatch(r"\[(\w+) in (.*)\.\.(.*)\]", family).groups()  # type: ignore[union-attr]
    places = range(int(model.value(first).item()), int(model.value(last).item()) + 1)
    model.names[name] = {
        i: _shaped(model, word, f"{name}[{i}]", shape, {index: array(i)}, positive, "")
        for i in places
    }


def _shaped(
    model: Reading, word: str, name: str, shape: str | None, index: Any, positive: bool, below: str
) -> Any:
    scope = Evaluator({**model.names, **index})
    sizes = tuple(int(scope.text(n).item()) for n in pieces(shape[1:-1])) if shape else ()
    if below:
        model.tokens[name] = int(model.value(below).item())
        sizes = (*sizes, model.tokens[name])
    made = symbols(name, sizes)
    if word == "param":
        model.parameters[name] = made
        if positive:
            model.positive.add(name)
    elif word == "input":
        model.inputs[name] = made
    else:
        model.controls[name] = made
    return made


def _define(model: Reading, rest: str) -> None:
    head, _, body = rest.partition("=")
    declared = re.fullmatch(r"(\w+)\((.*)\)", head.strip())
    assert declared is not None
    name, own = declared[1], pieces(declared[2])

    def function(*values: Any) -> Any:
        return Evaluator({**model.names, **dict(zip(own, values, strict=True))}).text(body)

    model.names[name] = function


def every_token(model: Reading) -> list[dict[Any, Any]]:
    """All data that tokens can be, as values of their one-hot entries."""
    rows = [
        [{x: int(k == choice) for k, x in enumerate(row)} for choice in range(below)]
        for name, below in model.tokens.items()
        for row in model.inputs[name].reshape(-1, below)
    ]
    return [{x: v for part in choice for x, v in part.items()} for choice in product(*rows)]
