"""Random systems of `field` statements with `control`s."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from .expressions import Words

if TYPE_CHECKING:
    from .drawing import Drawn


def written_out(source: random.Random) -> Drawn:
    """A control-affine system of two to four coordinates."""
    from .drawing import Drawn

    words = Words(source)
    kind = source.choice(["polynomial", "polynomial", "rigid", "linear", "rational"])
    if kind == "rigid":
        return Drawn("fields", "written out", rigid(words), words)
    names = list("xyzw")[: source.randint(2, 4)]
    for name in names:
        words.parameters[name] = ()
    count = source.randint(0, 2)
    lines = [f"param {', '.join(names)}"]
    if count:
        lines.append(f"control a[{count}]")
    timed = source.random() < 0.25
    if kind == "linear":
        return Drawn("fields", "written out", skew(words, lines, names, count), words)
    common = polynomial(words, names)
    for name in names:
        moved = polynomial(words, names) if source.random() < 0.6 else "0"
        if timed and source.random() < 0.5:
            moved = f"t*({moved}) + {words.pick('t', '1', name)}"
        for i in range(count):
            if source.random() < 0.7:
                moved += f" + a[{i}]*({polynomial(words, names)})"
        if kind == "rational" and source.random() < 0.4:
            moved = (
                f"({moved})/(1 + {common}**2)" if source.random() < 0.5 else f"({moved})/{names[0]}"
            )
        lines.append(f"field {name}' = {moved} + 0*{name}")
    return Drawn("fields", "written out", "\n".join(lines) + "\n", words)


def polynomial(w: Words, names: list[str]) -> str:
    """One or two terms of degree at most 2."""
    terms = []
    for _ in range(w.source.randint(1, 2)):
        factors = "*".join(w.source.choice(names) for _ in range(w.source.randint(1, 2)))
        terms.append(f"{w.number()}*{factors}")
    return "(" + w.pick(" + ", " - ").join(terms) + ")"


def skew(w: Words, lines: list[str], names: list[str], count: int) -> str:
    """Rotations with weights: Σ weight·x² is kept; a loss of skewness now and then spoils it."""
    weights = [w.source.choice([1, 1, 2, 3]) for _ in names]
    moved = {name: ["0"] for name in names}
    for control in ["", *(f"a[{i}]*" for i in range(count))]:
        i, j = w.source.sample(range(len(names)), 2)
        sign = "-" if w.source.random() < 0.85 else "+"
        moved[names[i]].append(f"+ {control}{names[j]}/{weights[i]}")
        moved[names[j]].append(f"{sign} {control}{names[i]}/{weights[j]}")
    for name in names:
        lines.append(f"field {name}' = {' '.join(moved[name])} + 0*{name}")
    return "\n".join(lines) + "\n"


def rigid(w: Words) -> str:
    """A rigid body, turned by one or more wheels; perhaps with friction."""
    w.parameters["L"] = (3,)
    d = [w.source.choice(["1", "2", "3", "1/2"]) for _ in range(3)]
    wheels = [w.source.choice(["a[0]", "0", "a[1]"]) for _ in range(3)]
    wheels[w.source.randrange(3)] = "a[0] + a[1]"
    friction = w.pick("", "", " - L/10")
    return f"""param L[3]
control a[2]
let turn = [L[0]*{d[0]} + {wheels[0]}, L[1]*{d[1]} + {wheels[1]}, L[2]*{d[2]} + {wheels[2]}]
field L' = [L[1]*turn[2] - L[2]*turn[1], L[2]*turn[0] - L[0]*turn[2], L[0]*turn[1] - L[1]*turn[0]]{friction}
"""
