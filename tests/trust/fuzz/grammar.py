"""Sentences of the grammar of the language, drawn at random from its rules."""

from __future__ import annotations

import random
import re
from functools import cache

from lark.grammar import NonTerminal, Rule, Symbol

from geoflow.syntax.grammar import parser

NAMES = ("U", "V", "W", "x", "n", "k", "i", "f", "h", "phi", "sum", "relu", "exp", "log", "shape")
OPTIONS = ("euclidean", "mirror", "entropy", "power", "fisher", "polynomial", "loss", "trials")
SAMPLES = {
    "NUMBER": ("0", "1", "2", "3", "4", "7", "0.5", "1e-3", "2.50", "10", "99"),
    "STRING": ('""', '"ij,jk->ik"', '"std/layers.geo"', '"../x.geo"', '"a b"'),
    "NAME": (*NAMES, *OPTIONS, "θ", "_x", "order", "laws", "no", "model"),
    "ADDITIVE": ("+", "-"),
    "MULTIPLICATIVE": ("*", "/", "@"),
    "TRANSPOSE": (".T",),
    "COMPARISON": ("<=", "<", ">=", ">", "==", "!="),
    "PROPERTY": ("complete", "commuting"),
    "COUPLING": ("coupled", "decoupled"),
}
_MOST = 60  # words from which on the shortest expansions are taken


@cache
def _rules() -> dict[str, tuple[Rule, ...]]:
    found: dict[str, list[Rule]] = {}
    for rule in parser().rules:
        found.setdefault(rule.origin.name, []).append(rule)
    return {name: tuple(rules) for name, rules in found.items()}


@cache
def _depths() -> dict[str, int]:
    """How deep the least tree of a rule is."""
    depths: dict[str, int] = {}
    changed = True
    while changed:
        changed = False
        for name, rules in _rules().items():
            known = [d for rule in rules if (d := _depth(rule, depths)) is not None]
            if known and min(known) < depths.get(name, 10**6):
                depths[name], changed = min(known), True
    return depths


@cache
def _shortest() -> dict[str, tuple[Rule, ...]]:
    """Of each rule's expansions those of least depth."""
    depths, found = _depths(), {}
    for name, rules in _rules().items():
        least = min(_depth(rule, depths) or 0 for rule in rules)
        found[name] = tuple(rule for rule in rules if _depth(rule, depths) == least)
    return found


def _depth(rule: Rule, depths: dict[str, int]) -> int | None:
    """One more than the deepest part; None while one is unknown."""
    parts = [depths.get(s.name) if isinstance(s, NonTerminal) else 0 for s in rule.expansion]
    known = [part for part in parts if part is not None]
    return 1 + max(known, default=0) if len(known) == len(parts) else None


@cache
def _fixed() -> dict[str, str | None]:
    """The text of each terminal, None for those that `SAMPLES` has."""
    found: dict[str, str | None] = {}
    for terminal in parser().terminals:
        text = re.sub(r"\\(.)", r"\1", terminal.pattern.value)
        found[terminal.name] = None if terminal.name in SAMPLES else text
    return found


def sentence(rng: random.Random, start: str = "statement") -> str:
    """A sentence that starts from a rule, with blanks between its words."""
    words: list[str] = []
    waiting: list[Symbol] = [NonTerminal(start)]
    most = rng.randrange(_MOST)
    while waiting:
        symbol = waiting.pop()
        if not isinstance(symbol, NonTerminal):
            words.append(_word(symbol.name, rng))
            continue
        short = len(waiting) + len(words) > most
        rules = (_shortest() if short else _rules())[symbol.name]
        waiting += reversed(rng.choice(rules).expansion)
    return _joined(words, rng)


def _word(terminal: str, rng: random.Random) -> str:
    fixed = _fixed()[terminal]
    return rng.choice(SAMPLES[terminal]) if fixed is None else fixed


def _joined(words: list[str], rng: random.Random) -> str:
    """With as few blanks as keep words apart, or more."""
    text = ""
    for word in words:
        apart = text[-1:].isalnum() and (word[0].isalnum() or word[0] == "_")
        text += (" " if apart or text[-1:] == "_" or rng.random() < 0.3 else "") + word
    return text
