"""Bad luck on purpose: small primes and special points where random ones are drawn, and what must still be true."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import geoflow
from geoflow.exact.primefield import draw_prime
from geoflow.lie import point
from geoflow.options import CheckOptions
from geoflow.pipeline import check_text
from geoflow.results import ModelReport, Report

Primes = Callable[[np.random.Generator, int], int]
ROOT = Path(geoflow.__file__).parent


def drawing() -> list[str]:
    """The modules that draw primes."""
    files = (f for f in ROOT.rglob("*.py") if re.search(r"import.*\bdraw_prime\b", f.read_text()))
    return sorted(".".join(("geoflow", *f.relative_to(ROOT).with_suffix("").parts)) for f in files)


def force_primes(monkeypatch: pytest.MonkeyPatch, primes: Primes) -> None:
    """Wherever a prime is drawn."""

    def drawn(rng: np.random.Generator, bits: int = 26) -> int:
        return primes(rng, bits)

    for name in drawing():
        monkeypatch.setattr(importlib.import_module(name), "draw_prime", drawn)


def at_first(prime: int, count: int) -> Primes:
    """A prime for the first draws, then random ones."""
    left = iter(range(count))

    def primes(rng: np.random.Generator, bits: int) -> int:
        return prime if next(left, None) is not None else draw_prime(rng, bits)

    return primes


Special = Callable[[np.ndarray], np.ndarray]
POINTS: dict[str, Special] = {
    "zeros": np.zeros_like,
    "ones": np.ones_like,
    "repeated": lambda v: np.full_like(v, v.flat[0]),
    "two values": lambda v: np.resize(v.ravel()[:2], v.shape),
}


def force_points(
    monkeypatch: pytest.MonkeyPatch, special: Special, count: int | None = None
) -> None:
    """Special points for the first `count` draws, or for all."""
    usual = point._point
    left = iter(range(count if count is not None else 10**9))

    def drawn(generator, field, symbolic, place, sample):
        if next(left, None) is not None:
            place = {n: special(v) for n, v in place.items()}
        return usual(generator, field, symbolic, place, sample)

    monkeypatch.setattr(point, "_point", drawn)


def checked(text: str, name: str = "model.geo", timeout: float | None = None) -> Report:
    return check_text(text, name, CheckOptions(verify=False, timeout=timeout))


def contradictions(usual: Report, other: Report) -> list[str]:
    """What the other report says for certain and the usual one does not. The usual one, with numbers drawn at random,
    is taken for true."""
    if not other.models:
        return []  # an error says nothing
    return [
        f"{a.model}: {what}"
        for a, b in zip(usual.models, other.models, strict=True)
        for what in _of_model(a, b)
    ]


def _of_model(usual: ModelReport, other: ModelReport) -> list[str]:
    found = []
    true, said = usual.laws, other.laws
    if said.lower > true.upper or (said.exact and true.lower > said.upper):
        found.append(f"{said.lower} to {said.upper} laws, not {true.lower} to {true.upper}")
    if said.status == "proved" and true.status == "proved" and said.upper != true.upper:
        found.append(f"{said.upper} laws proved, not {true.upper}")
    for a, b in zip(usual.claims, other.claims, strict=True):
        opposite = {"proved": "refuted", "refuted": "proved"}.get(b.verdict)
        if a.verdict != b.verdict and a.verdict in (opposite, f"probably {opposite}", "probable"):
            if b.verdict == "proved" and a.verdict == "probable":
                continue
            if opposite is not None:
                found.append(f"{b.text} is {b.verdict}, not {a.verdict}")
    for name, status in other.facts_status.items():
        known = usual.facts_status[name] in ("proved", "probable")
        if status == "proved" and known and other.facts[name] != usual.facts[name]:
            found.append(f"{name} = {other.facts[name]} proved, not {usual.facts[name]}")
    texts = {law.text for law in usual.found if law.status == "refuted"}
    found += [f"{law.text} proved" for law in other.found if law.text in texts]
    return found


def certain(report: Report) -> list[tuple[str, object]]:
    """Counts and claims, which have to come out the same."""
    return [
        (m.model, (m.laws.lower, m.laws.upper, m.laws.status, [c.verdict for c in m.claims]))
        for m in report.models
    ]
