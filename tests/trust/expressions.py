"""Random expressions of the language, by shape: NumPy's operations on the parameters of a model."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product

Shape = tuple[int, ...]


@dataclass
class Words:
    """What an expression may name. `numbers` are constants beside those written out."""

    source: random.Random
    parameters: dict[str, Shape] = field(default_factory=dict)
    numbers: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The number of scalar parameters."""
        return sum(entries(shape) for shape in self.parameters.values())

    def pick(self, *choices: str) -> str:
        """One of several."""
        return self.source.choice(choices)

    def number(self) -> str:
        """A small constant, positive."""
        return self.source.choice(["1", "2", "3", "1/2", "2/3", "0.5", *self.numbers])

    def entry(self, name: str | None = None) -> str:
        """A scalar entry of a parameter."""
        name = name or self.source.choice(list(self.parameters))
        shape = self.parameters[name]
        if not shape:
            return name
        place = [str(self.source.choice([self.source.randrange(n), -1])) for n in shape]
        return f"{name}[{', '.join(place)}]"

    def entries_of(self, name: str) -> list[str]:
        """All scalar entries of a parameter."""
        shape = self.parameters[name]
        if not shape:
            return [name]
        places = product(*(range(n) for n in shape))
        return [f"{name}[{', '.join(map(str, place))}]" for place in places]

    def any(self, dimensions: int) -> list[tuple[str, Shape]]:
        """The parameters with so many axes."""
        return [(n, s) for n, s in self.parameters.items() if len(s) == dimensions]


def entries(shape: Shape) -> int:
    """How many entries an array has."""
    count = 1
    for n in shape:
        count *= n
    return count


def scalar(w: Words) -> str:
    """A scalar made of one or two parameters."""
    found: list[Callable[[], str]] = [w.entry]
    for name, (n,) in w.any(1):
        found += [
            lambda name=name: f"sum({name})",
            lambda name=name: f"dot({name}, {name})",
            lambda name=name: f"prod({name})",
            lambda name=name: f"mean({name}**2)",
            lambda name=name, n=n: f"sum({name}[0:{n}:{min(2, n)}])",
        ]
        for other, (m,) in w.any(1):
            if n == m and other != name:
                found += [
                    lambda a=name, b=other: f"{a} @ {b}",
                    lambda a=name, b=other: f'einsum("i,i->", {a}, {b})',
                ]
    for name, (n, m) in w.any(2):
        found += [
            lambda name=name: f"sum({name}**2)",
            lambda name=name: f"trace({name} @ {name}.T)",
            lambda name=name: f"sum({name})",
        ]
        if n == m:
            found += [lambda name=name: f"det({name})", lambda name=name: f"trace({name})"]
    return w.source.choice(found)()


def vector(w: Words) -> str:
    """A vector."""
    found: list[Callable[[], str]] = [
        lambda: f"[{w.entry()}, {scalar(w)}]",
        lambda: f"[{w.entry()}*{w.entry()}, {w.entry()}]",
    ]
    for name, (n,) in w.any(1):
        found += [
            lambda name=name: name,
            lambda name=name: f"{w.entry()}*{name}",
            lambda name=name: f"{name}**2",
            lambda name=name: f"{name}[::1] + {name}[0]",
            lambda name=name, n=n: f"[{name}[i]*{w.entry()} for i in 0..{n - 1}]",
            lambda name=name: f"concat([{name}, [{w.entry()}]], axis=0)",
        ]
        for other, (m,) in w.any(1):
            if n == m:
                found += [
                    lambda a=name, b=other: f"{a}*{b}",
                    lambda a=name, b=other: f"{a} - {w.number()}*{b}**2",
                ]
    for name, (n, m) in w.any(2):
        found += [
            lambda name=name: f"sum({name}, axis=0)",
            lambda name=name: f"sum({name}**2, axis=1)",
            lambda name=name: f"prod({name}, axis=0)",
            lambda name=name: f"mean({name}, axis=1)",
            lambda name=name, n=n: f"{name}[{w.source.randrange(n)}]",
            lambda name=name, m=m: f"{name}[:, {w.source.randrange(m)}]",
            lambda name=name: f"reshape({name}, -1)",
        ]
        for other, (k,) in w.any(1):
            if k == m:
                found += [lambda a=name, b=other: f"{a} @ {b}"] * 2
            if k == n:
                found += [lambda a=name, b=other: f"{a}.T @ {b}"]
        if n == m:
            found.append(lambda name=name: f"diag({name})")
    return w.source.choice(found)()


def matrix(w: Words) -> str:
    """A matrix."""
    found: list[Callable[[], str]] = []
    for name, (n,) in w.any(1):
        for other, _ in w.any(1):
            found.append(lambda a=name, b=other: f"outer({a}, {b})")
        found.append(lambda name=name: f"diag({name})")
        found.append(lambda name=name, n=n: f"{w.entry()}*eye({n}) + diag({name})")
    for name, (n, m) in w.any(2):
        found += [
            lambda name=name: f"{w.entry()}*{name}",
            lambda name=name: f"{name} @ {name}.T",
            lambda name=name: f"{name}.T @ {name}",
            lambda name=name: f"transpose({name}, (1, 0))",
            lambda name=name, n=n, m=m: f"reshape({name}, ({m}, {n}))",
            lambda name=name: f"{name}*{name}",
        ]
        for other, (k, q) in w.any(2):
            if name == other:
                continue
            if m == k:
                found += [lambda a=name, b=other: f"{a} @ {b}"] * 2
            if m == q:
                found += [
                    lambda a=name, b=other: f"{a} @ {b}.T",
                    lambda a=name, b=other: f'einsum("ij,kj->ik", {a}, {b})',
                    lambda a=name, b=other: f"concat([{a}, {b}], axis=0) @ {a}.T",
                ]
            if (n, m) == (k, q):
                found += [
                    lambda a=name, b=other: f"{a}*{b}",
                    lambda a=name, b=other: f"{a} - {b}",
                    lambda a=name, b=other: f"sum(stack([{a}, {b}], axis=0)**2, axis=0)",
                ]
            if n * m * k * q <= 8:
                found.append(lambda a=name, b=other: f"kron({a}, {b})")
        for other, (k,) in w.any(1):
            if k == m:
                found.append(lambda a=name, b=other: f"{a}*{b}")
    return w.source.choice(found)() if found else vector(w)


def expression(w: Words) -> str:
    """Any of them, perhaps combined with a scalar."""
    kind = w.source.choice([scalar, scalar, vector, vector, matrix, matrix])
    made = kind(w)
    draw = w.source.random()
    if draw < 0.12:
        return f"({scalar(w)})*({made})"
    if draw < 0.2:
        return f"({made})/(1 + {square(w)})"
    if draw < 0.26:
        return f"({made})/{w.entry()}"
    if draw < 0.36 and kind is scalar:
        return f"({made} + {w.number()}*{scalar(w)})**2"
    if draw < 0.46 and kind is scalar:
        return f"{made} - {w.number()}*{scalar(w)}"
    return made


def square(w: Words) -> str:
    """A scalar that is not negative."""
    name = w.source.choice(list(w.parameters))
    return f"sum({name}**2)" if w.parameters[name] else f"{name}**2"
