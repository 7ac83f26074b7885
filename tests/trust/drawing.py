"""Random small models as texts: parametrizations and networks, each with a flow; systems written out."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from .expressions import Words, expression, scalar
from .flows import Setting, flow_lines

LIMITS = {"gradient": 8, "decay": 6, "momentum": 4, "adaptive": 3, "natural": 5, "riemannian": 4}
WEIGHTS = {
    "gradient": 50,
    "decay": 13,
    "momentum": 18,
    "adaptive": 6,
    "natural": 6,
    "riemannian": 7,
}


@dataclass(frozen=True)
class Drawn:
    """A model: what kind of map it has, what kind of flow, and its text without claims."""

    shape: str
    flow: str
    text: str
    words: Words


@dataclass
class Sketch:
    """A model while it is drawn. `lines` declare the parameters, `maps` follow."""

    words: Words
    limit: int
    lines: list[str] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)
    positive: set[str] = field(default_factory=set)

    @property
    def source(self) -> random.Random:
        """The source of all draws."""
        return self.words.source

    @property
    def room(self) -> int:
        """How many scalar parameters may still be added."""
        return self.limit - self.words.size

    def parameter(self, *shape: int) -> str:
        """Declare the next parameter."""
        names = "xyzw" if not shape else "uvab" if len(shape) == 1 else "UVAB"
        extra = (f"{names[0]}{i}" for i in range(2, 20))
        name = next(n for n in [*names, *extra] if n not in self.words.parameters)
        self.words.parameters[name] = shape
        return name

    def scalars(self, most: int = 4) -> list[str]:
        """Declare two to four scalars."""
        return [self.parameter() for _ in range(self.source.randint(2, min(most, self.room)))]

    def declared(self) -> list[str]:
        """The `param` lines of all parameters that no line declares yet."""
        written = "\n".join(self.lines)
        items = [
            name
            + (f"[{', '.join(map(str, shape))}]" if shape else "")
            + (" > 0" if name in self.positive else "")
            for name, shape in self.words.parameters.items()
            if "[" not in name and f"param {name}" not in written
        ]
        if not items:
            return []
        if self.source.random() < 0.5:
            return [f"param {item}" for item in items]
        return ["param " + ", ".join(items)]


def expressions(s: Sketch) -> None:
    """Random expressions of all shapes."""
    shapes = [(), (), (2,), (2,), (3,), (1, 2), (2, 1), (2, 2), (2, 3), (3, 1)]
    for _ in range(s.source.randint(1, 3)):
        fitting = [shape for shape in shapes if size(shape) <= s.room]
        if fitting:
            s.parameter(*s.source.choice(fitting))
    for _ in range(s.source.randint(1, 3)):
        s.maps.append(expression(s.words))
    named(s)


def named(s: Sketch) -> None:
    """Give the first map a name with `let`, or write it as a `def`."""
    draw = s.source.random()
    if draw < 0.15:
        s.lines.append(f"let inner = {s.maps[0]}")
        s.maps[0] = "inner"
    elif draw < 0.25:
        s.lines.append(f"def combined(p, q) = p*q + {s.words.number()}*p")
        s.maps[0] = f"combined({s.maps[0]}, {scalar(s.words)})"


def size(shape: tuple[int, ...]) -> int:
    """Entries of a shape."""
    found = 1
    for n in shape:
        found *= n
    return found


def monomials(s: Sketch) -> None:
    """Monomials, with negative exponents too."""
    names = s.scalars()
    for _ in range(s.source.randint(1, len(names) - 1)):
        made = s.words.number()
        for name in s.source.sample(names, s.source.randint(2, len(names))):
            power = s.source.choice([1, 1, 2, 3, -1, -2])
            made += ("*" if power > 0 else "/") + (
                name if abs(power) == 1 else f"{name}**{abs(power)}"
            )
        s.maps.append(made)


def forms(s: Sketch) -> None:
    """Functions of a few linear forms: translations leave them alone."""
    names = s.scalars()
    made = []
    for _ in range(s.source.randint(1, max(1, len(names) - 1))):
        own = s.source.sample(names, s.source.randint(1, len(names)))
        terms = " + ".join(f"{s.words.number()}*{n}" for n in own)
        made.append(f"({terms})" if s.source.random() < 0.7 else f"({own[0]} - {own[-1]} + 1)")
    s.maps.append(f"{made[0]}**{s.source.randint(1, 3)}")
    for a, b in pairwise(made):
        s.maps.append(s.words.pick(f"{a}*{b}", f"{b}**2 - {a}", f"{b}/(1 + {a}**2)"))


def layers(s: Sketch) -> None:
    """Products of matrices, some as families with sizes of their own, some with biases."""
    chains = [
        (1, 1, 1), (2, 1, 1), (2, 1, 2), (1, 2, 1), (2, 2, 1), (2, 2, 2), (3, 1, 1), (1, 3, 1),
        (1, 1, 1, 1), (1, 2, 1, 1), (2, 1, 1, 2), (1, 2, 2, 1), (1, 1, 1, 1, 1),
    ]  # fmt: skip
    fitting = [c for c in chains if cost(c) <= s.room]
    if not fitting:
        return monomials(s)
    d = s.source.choice(fitting)
    depth = len(d) - 1
    if s.source.random() < 0.5:
        s.lines += [f"dim L = {depth}, d[0..L] = [{', '.join(map(str, d))}]"]
        s.lines += ["param W[l in 1..L][d[l], d[l-1]]"]
        for i in range(1, depth + 1):
            s.words.parameters[f"W[{i}]"] = (d[i], d[i - 1])
        product = f"chain(h = eye({d[0]}); l in 1..L: W[l] @ h)"
        s.maps.append(
            product
            if s.source.random() < 0.5
            else " @ ".join(f"W[{i}]" for i in range(depth, 0, -1))
        )
        last = f"W[{depth}]"
    else:
        names = [s.parameter(b, a) for a, b in pairwise(d)]
        s.maps.append(" @ ".join(reversed(names)))
        last = names[-1]
        if depth == 2 and s.source.random() < 0.3:
            s.maps[-1] = f"{names[1]} @ {names[0]} + {s.words.number()}*ones(({d[2]}, {d[0]}))"
    inner = s.words.parameters[last][1]
    if s.room >= inner and s.source.random() < 0.35:
        s.maps.append(f"{last} @ {s.parameter(inner)}")


def cost(widths: tuple[int, ...]) -> int:
    """Entries of a chain of matrices."""
    return sum(a * b for a, b in pairwise(widths))


def shared(s: Sketch) -> None:
    """Weights used twice, gains, scale-invariant weights, quotients."""
    w, n = s.words, s.source.randint(1, 2)
    kind = s.source.randrange(6)
    if kind == 0 and s.room >= 2 * n:
        u = s.parameter(2, n)
        s.maps.append(w.pick(f"{u} @ {u}.T", f"{u}.T @ {u}"))
    elif kind == 1 and s.room >= 4:
        g, u = s.parameter(2), s.parameter(2, 1)
        s.maps.append(f"{g}*{u}.T")
    elif kind == 2:
        u = s.parameter(min(3, s.room))
        s.maps.append(f"{u}/({w.number()} + {u} @ {u})")
    elif kind == 3:
        u = s.parameter(min(3, s.room))
        s.maps.append(f"1/({w.number()} + {w.number()}*sum({u}**2))")
    elif kind == 4:
        u = s.parameter(min(3, max(2, s.room)))
        s.maps.append(f"[{u}[0]*{u}[i]/sum({u}**2) for i in 0..{w.parameters[u][0] - 1}]")
    else:
        x, y = s.parameter(), s.parameter()
        s.maps.append(
            w.pick(
                f"[{x}*{y}, ({x} - {y})**2]", f"{x}*{y}/(1 + {x}**2)", f"({x} + {y})/({x} - 3*{y})"
            )
        )


def roots(s: Sketch) -> None:
    """Square roots of positive parameters and of sums of squares."""
    x, y = s.parameter(), s.parameter()
    s.positive |= {x, y}
    w = s.words
    s.maps.append(
        w.pick(
            f"sqrt({x})*sqrt({y})",
            f"sqrt({x}**2 + {y}**2)",
            f"{x}**(1/2) - {w.number()}*{y}",
            f"sqrt({x} + {w.number()}*{y})*{x}",
            f"{x}*{y}/sqrt(1 + {x}**2)",
        )
    )
    if s.room:
        z = s.parameter()
        s.maps.append(
            w.pick(
                f"{z}*{x}",
                f"{z}*(sqrt({x}*{y}) - sqrt({x})*sqrt({y})) + {y}",
                f"{z}**2*sqrt({x})",
                f"{z}*sqrt({y})*{x}**(3/2)",
            )
        )


def pairs(s: Sketch) -> None:
    """Products of two parameters of the same shape, with a coefficient for each."""
    n = s.source.randint(1, max(1, min(3, s.room // 2)))
    u, v = s.parameter(n), s.parameter(n)
    w = s.words
    s.maps.append(
        w.pick(
            f"{u}*{v}", f"{u} @ {v}", f"outer({u}, {v})", f"{u}**2 - {w.number()}*{v}**2",
            f"{u}**2*{v}", f"{u}/{v}", f"sum({u}**2*{v}**2)",
        )
    )  # fmt: skip


MAPS: dict[str, Callable[[Sketch], None]] = {
    "expressions": expressions,
    "monomials": monomials,
    "linear forms": forms,
    "matrix products": layers,
    "shared weights, quotients": shared,
    "roots": roots,
    "pairs": pairs,
}
MAP_WEIGHTS = (30, 14, 10, 20, 10, 6, 10)


def draw(seed: int, attempt: int = 0) -> Drawn:
    """The model of a seed; another one with each attempt."""
    from .networks import network
    from .written_out import written_out

    source = random.Random(f"trust {seed} {attempt}")
    kind = source.random()
    if kind < 0.12:
        return written_out(source)
    flow = source.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    words = Words(source)
    lines = constants(words)
    sketch = Sketch(words, LIMITS[flow], lines)
    word = "map"
    if kind < 0.34 and flow not in ("natural", "adaptive"):
        shape, declared = network(sketch)
        word = "network"
    else:
        shape = source.choices(list(MAPS), MAP_WEIGHTS)[0]
        declared = []
        MAPS[shape](sketch)
        if sketch.room >= 2 and source.random() < 0.2:
            source.choice([monomials, pairs, shared])(sketch)
    setting = Setting(flow, word == "network")
    after = flow_lines(sketch, setting)
    lines, lets = (
        [x for x in lines if not x.startswith(("let", "def"))],
        [x for x in lines if x.startswith(("let", "def"))],
    )
    before = [x for x in lines if x.startswith(("dim", "const"))]
    params = [x for x in lines if not x.startswith(("dim", "const"))]
    params = [x + (" > 0" if positive_family(x, sketch) else "") for x in params]
    text = [
        *before,
        *params,
        *sketch.declared(),
        *declared,
        *lets,
        *map_lines(sketch, word),
        *after,
    ]
    return Drawn(shape, setting.name, "\n".join(text) + "\n", words)


def positive_family(line: str, s: Sketch) -> bool:
    """Whether a family's `param` line has to say that it is positive."""
    return line.startswith("param W[l") and any(n.startswith("W[") for n in s.positive)


def constants(w: Words) -> list[str]:
    """`const` lines."""
    draw = w.source.random()
    if draw < 0.15:
        w.numbers.append("c")
        return [f"const c = {w.source.choice(['2', '1/3', '0.25', '1e-1', '5/4'])}"]
    if draw < 0.25:
        w.numbers += ["eta", "eta"]
        return ["const eta symbolic"]
    return []


def map_lines(s: Sketch, word: str) -> list[str]:
    """The maps, in one statement or several."""
    if len(s.maps) > 1 and s.source.random() < 0.5:
        return [f"{word} phi = [{', '.join(s.maps)}]"]
    return [f"{word} phi{i} = {made}" for i, made in enumerate(s.maps)]
