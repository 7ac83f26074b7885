"""Texts and bytes: sentences of the grammar, models put together from others, models and bytes damaged."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tests.trust.fuzz.grammar import sentence

ROOT = Path(__file__).parents[3]
FOLDERS = ("examples", "geoflow/std", "tests/bad")
ODD = (
    "\u202e", "\u2066", "\u200b", "\ufeff", "\x00", "\r", "\r\n", "\x1b[2J", "\x1b]0;x\x07", "\x85",
    "\u2028", "\x0c", "\x0b", "а", "𝒳", "ﬁ", "٣", "²", "é", "\ud800", "\\", "^", "%", "$", "`",
    "<script>", "::error::x", "%0A", "=1+1", "((((", "]]]]", "[" * 120, "-" * 150, "'" * 30, ".T" * 40,
    "9" * 400, "9" * 5000, "1e999999999", "9**9**9**9", "1/0", "0**0", "10**100", "1e-400", "..",
    "\nmodel ", "\nlaw h = ", "\nuse \"", "t", "in", "#", '"', "{", "}", "()", "[]", "[,]", "**", "@",
)  # fmt: skip
HEADS = (
    "param U[3, 2], V[2, 2]\nmap phi = U @ V.T\n",
    "dim n = 2\nparam x[n] > 0, y[n]\nmap phi = sum(x*y)\nmetric mirror(entropy) on x\n",
    "param w[2], b, a\ninput x[2]\nnetwork g = a*relu(sum(w*x) + b)\n",
    "const tau = 1/2\nparam u[2], v[2]\nmap phi = sum(u*v)\nflow order 2 damping tau\n",
    "dim L = 2, d[0..2] = [2, 2, 1]\nparam W[l in 1..L][d[l], d[l-1]]\n"
    "map phi = chain(h = eye(2); l in 1..L: W[l] @ h)\n",
    "param x, y, z\ncontrol a\nfield x' = a*y\nfield y' = -a*x\n",
)
SIZES = ("0", "1", "2", "3", "4", "5", "64", "1000")
_TOKEN = re.compile(r"\w+|\s+|.")


@cache
def models() -> tuple[str, ...]:
    """The texts of the examples, of what is shipped, and of what is wrong."""
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.geo"))]
    return tuple(path.read_text(encoding="utf-8", errors="replace") for path in paths) + HEADS


@cache
def _tokens() -> tuple[str, ...]:
    return tuple(sorted({token for text in models() for token in _TOKEN.findall(text)}))


@cache
def _lines() -> tuple[str, ...]:
    return tuple(sorted({line for text in models() for line in text.splitlines() if line}))


def any_text(rng: random.Random) -> str:
    """Of one of the kinds."""
    kind = rng.random()
    if kind < 0.2:
        return written(rng)
    if kind < 0.3:
        return spliced(rng)
    if kind < 0.6:
        return renumbered(rng.choice(models()), rng)
    if kind < 0.87:
        return damaged(rng.choice(models()), rng)
    return "".join(rng.choices((*_tokens()[:400], *ODD), k=rng.randrange(60)))


def written(rng: random.Random) -> str:
    """Sentences of the grammar, most of them below the head of a model."""
    head = rng.choice(HEADS) if rng.random() < 0.8 else ""
    return head + "".join(sentence(rng) + "\n" for _ in range(rng.randrange(1, 5)))


def spliced(rng: random.Random) -> str:
    """Lines of several models."""
    return rng.choice(HEADS) + "".join(
        line + "\n" for line in rng.choices(_lines(), k=rng.randrange(1, 6))
    )


def renumbered(text: str, rng: random.Random, sizes: Sequence[str] = SIZES) -> str:
    """A model with other numbers and exchanged names: most are well formed."""
    tokens = _TOKEN.findall(text)
    words = [k for k, token in enumerate(tokens) if re.fullmatch(r"[0-9]+|[^\W\d]\w*", token)]
    if rng.random() < 0.7:
        words = [k for k in words if tokens[k].isdigit()]
    for _ in range(rng.randrange(1, 4)):
        if not words:
            break
        k = rng.choice(words)
        if tokens[k].isdigit():
            tokens[k] = rng.choice(sizes)
        else:
            tokens[k] = tokens[rng.choice(words)]
    return "".join(tokens)


def damaged(text: str, rng: random.Random) -> str:
    """A model with tokens lost, doubled, exchanged, or odd ones put in."""
    tokens = _TOKEN.findall(text)
    for _ in range(rng.randrange(1, 6)):
        k = rng.randrange(len(tokens) + 1)
        what = rng.random()
        if what < 0.25 and k < len(tokens):
            del tokens[k : k + rng.randrange(1, 6)]
        elif what < 0.4 and k < len(tokens):
            tokens[k] *= rng.randrange(2, 4)
        elif what < 0.6:
            tokens.insert(k, rng.choice(ODD))
        elif what < 0.75:
            tokens.insert(k, rng.choice(_tokens()))
        elif what < 0.85 and k < len(tokens):
            tokens[k] = rng.choice(_tokens())
        elif what < 0.95:
            tokens.insert(k, sentence(rng, rng.choice(["statement", "expression"])))
        else:
            tokens[k:k] = tokens[: rng.randrange(len(tokens) + 1)]
    return "".join(tokens)


def any_bytes(rng: random.Random) -> bytes:
    """The bytes of a text, most of them damaged as bytes."""
    encoding = rng.choice(["utf-8"] * 6 + ["utf-16", "latin-1", "utf-8-sig"])
    errors = "surrogatepass" if encoding.startswith("utf") else "replace"
    data = any_text(rng).encode(encoding, errors)
    return data if rng.random() < 0.4 else damaged_bytes(data, rng)


def damaged_bytes(data: bytes, rng: random.Random) -> bytes:
    """Bytes changed, lost, put in, doubled, cut off."""
    found = bytearray(data)
    for _ in range(rng.randrange(1, 8)):
        k = rng.randrange(len(found) + 1)
        what = rng.random()
        if what < 0.3 and k < len(found):
            found[k] ^= 1 << rng.randrange(8)
        elif what < 0.5:
            found[k:k] = rng.choice(ODD).encode("utf-8", "surrogatepass")
        elif what < 0.7:
            del found[k : k + rng.randrange(1, 20)]
        elif what < 0.8:
            found[k:k] = rng.randbytes(rng.randrange(1, 5))
        elif what < 0.9:
            found[k:k] = found[: rng.randrange(200)]
        else:
            del found[k:]
    return bytes(found)
