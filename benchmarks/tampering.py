"""Certificates changed at random, and what becomes of them: `python -m benchmarks.tampering [changes] [seed]`.

Each change is to the claim, the model, the place, the words, the laws or the bounds; the digests are then computed
anew, so that only the content can give it away. What `tools/check_certificate.py` accepts is judged by SymPy, which
knows nothing of either program: the fields are differentiated symbolically, brackets evaluated at rational points,
laws expanded. One that is accepted and not true is a fault, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import sympy

from geoflow.certificates.document import sealed
from geoflow.options import CheckOptions
from geoflow.pipeline import check_text

ROOT = Path(__file__).parents[1]
PARTS = ("claim", "model", "place", "upper", "lower", "bound")
MODELS = {
    "product": "model product\nparam x, y\nmap phi = x*y\n",
    "matrices": "model matrices\nparam U[2, 2], V[1, 2]\nmap phi = U @ V.T\n",
    "weighted": "model weighted\nconst eta symbolic\nparam U[2], V[2]\nmap phi = [U[0]*V[0], U[1]*V[1]]\n"
    "metric scaled(eta) on U\n",
    "barrier": "model barrier\nparam u[2] > 0, v > 0\nmap phi = u*v\nmetric mirror(log_barrier)\n",
    "momentum": "model momentum\nconst tau = 1/2\nparam u[2], v[2]\nmap phi = sum(u*v)\n"
    "flow order 2 damping tau\nlaw angular = exp(tau*t)*(u[0]*u'[1] - u[1]*u'[0] + v[0]*v'[1] - v[1]*v'[0])\n",
    "neuron": "model neuron\nparam w[2], b, a\ninput x[2]\nnetwork g = a*relu(sum(w*x) + b)\n",
    "cubic": "model cubic\nparam A[2, 2], a[2]\nmap phi = a @ A @ a\n",
    "body": "model body\nparam L[3]\ncontrol a[3]\nlet w = [L[0] + a[0], L[1]/2 + a[1], L[2]/3 + a[2]]\n"
    "field L' = [L[1]*w[2] - L[2]*w[1], L[2]*w[0] - L[0]*w[2], L[0]*w[1] - L[1]*w[0]]\n",
    "reached": "model reached\nparam x, y, u\ncontrol ahead\ncontrol turn\nfield x' = ahead*(1 - u**2)/(1 + u**2)\n"
    "field y' = ahead*2*u/(1 + u**2)\nfield u' = turn*(1 + u**2)/2\n",
}


def checker() -> ModuleType:
    """`tools/check_certificate.py` as a module."""
    spec = importlib.util.spec_from_file_location(
        "check_certificate", ROOT / "tools" / "check_certificate.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def certificate(text: str, seed: int = 0) -> dict[str, Any]:
    """The certificate of the model of a text."""
    options = CheckOptions(seed=seed, verify=False, certificate=True)
    (report,) = check_text(text, "<tampering>", options).models
    assert report.document is not None
    return dict(report.document)


def accepted(check: ModuleType, document: dict[str, Any]) -> bool:
    """Whether the independent checker confirms all of a certificate."""
    try:
        _, missing = check.check(document)
    except Exception:
        return False
    return not missing


# ------------------------------------------------------------------------------------------------ changes


def changed(document: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """The certificate with one random change, sealed again."""
    found = copy.deepcopy(document)
    places = [p for part in PARTS for p in _places(found[part], (part,)) if p[-1] != "model"]
    while True:
        kind = rng.random()
        if kind < 0.25:
            rng.choice(_AIMED)(found, rng)
        else:
            part = rng.choice(PARTS)  # as often in the claim as in the long lists of words
            own = [p for p in places if p[0] == part]
            *path, last = rng.choice(own) if own else rng.choice(places)
            holder: Any = found
            for key in path:
                holder = holder[key]
            holder[last] = _other(holder[last], rng)
        result = sealed(found)
        if result != document:
            return result


def _places(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    if len(path) > 1:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _places(item, (*path, key))
    elif isinstance(value, list):
        for k, item in enumerate(value):
            yield from _places(item, (*path, k))


def _other(value: Any, rng: random.Random) -> Any:
    """Something else of about the same kind."""
    match value:
        case bool() | None:
            return rng.choice([True, False, None, 0, 1])
        case int():
            near = [value + 1, value - 1, -value, 0, 2 * value, value + 2**26]
            return rng.choice([*near, rng.randrange(2**26), float(value), str(value)])
        case str():
            try:
                number = Fraction(value)
            except (ValueError, ZeroDivisionError):
                words = ["proved", "probable", "bounded", "flow", "path-lifting", "free", "gate"]
                return rng.choice([*words, value + "'", "0"])
            return str(rng.choice([-number, number + 1, number / 2, 2 * number, Fraction(0)]))
        case list() if value:
            k, j = rng.randrange(len(value)), rng.randrange(len(value))
            swapped = list(value)
            swapped[k], swapped[j] = value[j], value[k]
            less = [*value[:k], *value[k + 1 :]]
            return rng.choice([less, [*value, copy.deepcopy(value[k])], swapped, []])
        case dict() if value:
            lost = rng.choice(sorted(value))
            return {k: v for k, v in value.items() if k != lost}
        case _:
            return rng.choice([[0], None, 1])


def _one_more_law(found: dict[str, Any], rng: random.Random) -> None:
    claim = found["claim"]
    claim["lower"] += 1
    if rng.random() < 0.5:
        claim["upper"] += 1
        claim["rank"] -= 1
    if rng.random() < 0.5 and found["lower"]["laws"]:
        found["lower"]["laws"].append(copy.deepcopy(rng.choice(found["lower"]["laws"])))


def _one_law_less(found: dict[str, Any], rng: random.Random) -> None:
    claim = found["claim"]
    claim["lower"] -= 1
    claim["upper"] -= 1
    claim["rank"] += 1
    if found["lower"]["laws"]:
        found["lower"]["laws"].pop(rng.randrange(len(found["lower"]["laws"])))


def _word_repeated(found: dict[str, Any], rng: random.Random) -> None:
    words = found["upper"]["words"]
    words.append(copy.deepcopy(rng.choice(words)))
    found["claim"]["rank"] += 1
    found["claim"]["upper"] -= 1


def _other_prime(found: dict[str, Any], rng: random.Random) -> None:
    p = found["place"]["prime"]
    found["place"]["prime"] = rng.choice([p + 1, p * p, 2**16 + 1, 2**61 - 1, 4, 3, 1, 0, 91, 561])


def _law_moved(found: dict[str, Any], rng: random.Random) -> None:
    for law in found["lower"]["laws"]:
        if rng.random() < 0.5:
            k = rng.randrange(len(found["model"]["constants"] + found["model"]["state"]))
            law["value"][0].append([str(rng.choice([1, -2])), [k, rng.randrange(1, 4)]])


def _rate_moved(found: dict[str, Any], rng: random.Random) -> None:
    for law in found["lower"]["laws"]:
        law["rate"] = [[[str(rng.choice([1, -1, 2]))]]] if rng.random() < 0.7 else [[]]
    found["lower"]["time"] = rng.randrange(len(found["model"]["state"]))


def _single_toggled(found: dict[str, Any], rng: random.Random) -> None:
    found["lower"]["single"] = not found["lower"]["single"]
    found["claim"]["lower"] = found["claim"]["dimension"] - 1


_AIMED: tuple[Callable[[dict[str, Any], random.Random], None], ...] = (
    _one_more_law,
    _one_law_less,
    _word_repeated,
    _other_prime,
    _law_moved,
    _rate_moved,
    _single_toggled,
)


# ------------------------------------------------------------------------------------------------ the judge


class Oracle:
    """Fields and laws of a certificate in SymPy."""

    def __init__(self, document: dict[str, Any]):
        self.claim, self.lower = document["claim"], document["lower"]
        model = document["model"]
        self.kinds = [kind for _, kind in model["controls"]]
        counts = [len(model[k]) for k in ("constants", "state", "controls")]
        names = sympy.symbols(f"z0:{sum(counts)}")
        self.all = list(names)
        self.state = list(names[counts[0] : counts[0] + counts[1]])
        self.constants, self.controls = list(names[: counts[0]]), list(names[sum(counts[:2]) :])
        self.drift = self._components(model["drift"])
        if model["map"] is None:
            self.controlled = self._components(model["fields"])
        else:
            pairing = sum(
                self._function(a) * self._function(y)
                for a, y in zip(model["map"]["cotangents"], model["map"]["outputs"], strict=True)
            )
            self.controlled = [sympy.Integer(0)] * len(self.state)
            for k, i, f in model["map"]["directions"]:
                moved = self._function(f) * sympy.diff(pairing, self.state[i])
                self.controlled[k] += moved

    def _function(self, data: Any) -> Any:
        parts = [
            sum(
                (
                    sympy.Rational(c) * sympy.prod(self.all[v] ** e for v, e in powers)
                    for c, *powers in p
                ),
                sympy.S.Zero,
            )
            for p in data
        ]
        return parts[0] / (parts[1] if len(parts) > 1 else 1)

    def _components(self, data: Any) -> list[Any]:
        found = dict(data)
        return [self._function(found[k]) if k in found else 0 for k in range(len(self.state))]

    def gradients(self) -> list[list[Any]]:
        """Of the laws, without their exponential factors."""
        found = []
        for law in self.lower["laws"]:
            value = self._function(law["value"])
            value += sum(self._function(c) * sympy.log(self._function(q)) for c, q in law["logs"])
            own = [sympy.diff(value, x) for x in self.state]
            rate, time = self._function(law["rate"]), self.lower["time"]
            if rate != 0:
                own[time - len(self.constants)] += rate * value
            found.append(own)
        return found

    def true(self, rng: random.Random) -> bool:
        """Whether the claim holds of these fields, with these laws."""
        gradients = self.gradients()
        for own in gradients:
            for field in (self.drift, self.controlled):
                moved = sum(g * x for g, x in zip(own, field, strict=True))
                if sympy.expand(sympy.numer(sympy.together(moved))) != 0:
                    return False
        laws = max((self._rank(gradients, rng) for _ in range(3)), default=0)
        if self.lower["single"]:
            one = len(self.controls) == 1 and not any(self.drift)
            laws = len(self.state) - 1 if one else laws
        low, high = self.claim["lower"], self.claim["upper"]
        return bool(laws >= low and len(self.state) - self.rank(rng) <= high and low <= high)

    def rank(self, rng: random.Random) -> int:
        """A lower bound of the rank of the Lie algebra, by brackets of random fields at rational points."""
        size = len(self.state)
        count = size + 1 if set(self.kinds) <= {"free"} else 5 * size  # a gate may be 0
        generators = [self._generator(rng) for _ in range(count)]
        fields, level = list(generators), list(generators)
        for _ in range(7):
            if self._rank(fields, rng) >= self.claim["rank"]:
                break
            level = [self._bracket(rng.choice(generators), y) for y in level]
            fields += level
        return self._rank(fields, rng)

    def _generator(self, rng: random.Random) -> list[Any]:
        top = [2 if kind != "free" else 50 for kind in self.kinds]
        values = {b: rng.randrange(n) for b, n in zip(self.controls, top, strict=True)}
        pairs = zip(self.drift, self.controlled, strict=True)
        c = rng.randrange(1, 50)
        return [(sympy.S.Zero + c * f + g).subs(values) for f, g in pairs]

    def _bracket(self, x: list[Any], y: list[Any]) -> list[Any]:
        return [
            sympy.expand(
                sum(
                    sympy.diff(b, s) * u - sympy.diff(a, s) * v
                    for s, u, v in zip(self.state, x, y, strict=True)
                )
            )
            for a, b in zip(x, y, strict=True)
        ]

    def _rank(self, rows: list[list[Any]], rng: random.Random) -> int:
        names = [*self.constants, *self.state]
        point = {x: sympy.Rational(rng.randrange(1, 999), rng.randrange(1, 99)) for x in names}
        values = [[(sympy.S.Zero + x).subs(point) for x in row] for row in rows]
        return sympy.Matrix(values).rank() if values else 0


def run(changes: int, seed: int) -> Counter[str]:
    """How many changes were refused, accepted and true (of the same model, or of another), accepted and false."""
    rng, check = random.Random(seed), checker()
    originals = [certificate(text, seed) for text in MODELS.values()]
    outcomes: Counter[str] = Counter()
    for document in originals:
        assert accepted(check, document) and Oracle(document).true(rng)
    for k in range(changes):
        document = originals[k % len(originals)]
        found = changed(document, rng)
        if not accepted(check, found):
            outcomes["refused"] += 1
            continue
        same = found["claim"] == document["claim"]
        if Oracle(found).true(rng):
            outcomes["true, the same claim" if same else "true, of another model"] += 1
        else:
            outcomes["FALSE"] += 1
            print("accepted and false:", found)
        if not same and found["claim"]["model"] == document["claim"]["model"]:
            outcomes["ANOTHER COUNT"] += 1
            print("another count of the same model:", found["claim"])
    return outcomes


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tampering")
    parser.add_argument("changes", type=int, nargs="?", default=1000)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    result = run(**vars(parser.parse_args()))
    for outcome, number in sorted(result.items()):
        print(f"{number:6d}  {outcome}")
    sys.exit(1 if result["FALSE"] or result["ANOTHER COUNT"] else 0)
