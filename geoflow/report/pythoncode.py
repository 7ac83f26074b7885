"""Laws as the source of pure JAX functions, to paste into a training script.

The language's expressions are NumPy's, so a law's text is nearly Python: names become array
look-ups, functions get their module, `U'` becomes a velocity, and a bracketed list an array.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from geoflow.diagnostics import GeoflowBug
from geoflow.results import FoundLaw

_TOKEN = re.compile(
    r"(?P<name>[^\W\d]\w*)|(?P<number>\d+(?:\.\d+)?)|(?P<string>\"[^\"]*\")|(?P<prime>')|(?P<space>\s+)|(?P<other>.)"
)
_PLAIN = ("sum", "prod", "mean", "trace", "diag", "outer", "kron", "dot", "einsum", "reshape")
_PLAIN += ("transpose", "stack", "eye", "zeros", "ones", "sqrt", "exp", "log")
_FUNCTIONS = {name: f"jnp.{name}" for name in _PLAIN} | {
    "concat": "jnp.concatenate",
    "det": "jnp.linalg.det",
    "inv": "jnp.linalg.inv",
    "norm": "jnp.linalg.norm",
}
_TAKES_LIST = frozenset({"concat", "stack", "reshape", "zeros", "ones"})
_OPTIONS = frozenset({"axis", "axes", "keepdims"})
_TAKEN = frozenset({"jnp", "params", "velocities", "t"})
_WORDS = {"true": "True", "false": "False"}


HEADING = '''\
"""Conservation laws: each function is constant along the flow."""

import jax.numpy as jnp
'''


def python_functions(
    laws: Iterable[FoundLaw],
    parameters: Iterable[str],
    constants: Mapping[str, Fraction | None] | None = None,
    prefix: str = "",
) -> Iterator[str]:
    """One function a law, to stand below `HEADING`.

    `parameters` are full names (`U`, `W[1]`); `constants` that are symbolic have None and become
    arguments.
    """
    names = tuple(parameters)
    for number, law in enumerate(laws, start=1):
        yield _function(f"{prefix}law_{number}", law, names, constants or {})


def _function(
    name: str, law: FoundLaw, parameters: tuple[str, ...], constants: Mapping[str, Fraction | None]
) -> str:
    body = _Translation(frozenset(parameters), constants)
    value = body.translate(law.text)
    symbolic = [body.local(c) for c in body.constants if constants[c] is None]
    arguments = [
        "params",
        *(["velocities"] if body.velocities else []),
        *(["t"] if body.time else []),
    ]
    arguments += ["*", *symbolic] if symbolic else []
    lines = [
        f"def {name}({', '.join(arguments)}):",
        f'    """{_one_line(law.text)} ({law.status})"""',
    ]
    lines += [f'    {body.local(p)} = params["{p}"]' for p in body.parameters]
    lines += [f'    {body.velocity(p)} = velocities["{p}"]' for p in body.velocities]
    for constant in body.constants:
        if (exact := constants[constant]) is not None:
            lines.append(f"    {body.local(constant)} = {exact.numerator} / {exact.denominator}")
    return "\n".join([*lines, f"    return {value}", ""])


def _one_line(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', "'").replace("\n", " ")


@dataclass
class _Translation:
    """One pass over the tokens of a law, noting which names it uses, in order."""

    known: frozenset[str]
    values: Mapping[str, Fraction | None]
    parameters: dict[str, None] = field(default_factory=dict)
    velocities: dict[str, None] = field(default_factory=dict)
    constants: dict[str, None] = field(default_factory=dict)
    time: bool = False

    def translate(self, text: str) -> str:
        tokens = [(m.lastgroup or "", m.group()) for m in _TOKEN.finditer(text)]
        out: list[str] = []
        calls: list[tuple[str, str]] = []  # (name of the call or "", what closes it)
        before, i = "", 0
        while i < len(tokens):
            kind, token = tokens[i]
            i += 1
            if kind == "name":
                piece, used = self._name(token, tokens[i:], before)
                i += used
                out.append(piece)
            elif token in "([{":
                called = before if before in _FUNCTIONS else ""
                wraps = (
                    token == "[" and before not in (")", "]", "=") and not self._in_list_call(calls)
                )
                out.append("jnp.array([" if wraps else token)
                calls.append((called, "])" if wraps else {"(": ")", "[": "]", "{": "}"}[token]))
            elif token in ")]}":
                out.append(calls.pop()[1] if calls else token)
            else:
                out.append(token)
            if kind != "space":
                before = "]" if kind == "name" and out[-1] not in _FUNCTIONS.values() else token
        return "".join(out)

    def local(self, name: str) -> str:
        """A Python name for a parameter or constant."""
        plain = re.sub(r"\W+", "_", name).strip("_")
        taken = (
            keyword.iskeyword(plain)
            or plain in _TAKEN
            or (plain != name and plain in {*self.known, *self.values})
        )
        return f"{plain}_" if taken else plain

    def velocity(self, name: str) -> str:
        """A Python name for a parameter's velocity."""
        plain = f"d{self.local(name)}"
        return f"{plain}_" if plain in {*self.known, *self.values} else plain

    def _name(self, token: str, rest: list[tuple[str, str]], before: str) -> tuple[str, int]:
        """The Python of a name, and how many of the tokens after it belong to it."""
        if before == "." or token in _OPTIONS:
            return token, 0
        name, used = token, 0
        if name not in self.known and [t for _, t in rest[:3:2]] == ["[", "]"]:
            name, used = f"{token}[{rest[1][1]}]", 3
        if name in self.known:
            if rest[used : used + 1] == [("prime", "'")]:
                self.velocities[name] = None
                return self.velocity(name), used + 1
            self.parameters[name] = None
            return self.local(name), used
        if token in self.values:
            self.constants[token] = None
            return self.local(token), 0
        if token == "t":
            self.time = True
            return "t", 0
        if token in _FUNCTIONS or token in _WORDS:
            return _FUNCTIONS.get(token) or _WORDS[token], 0
        raise GeoflowBug(f"the law uses the name `{token}`, which is none of the model's")

    def _in_list_call(self, calls: list[tuple[str, str]]) -> bool:
        return bool(calls) and calls[-1][0] in _TAKES_LIST
