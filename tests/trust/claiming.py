"""Claims on a drawn model: laws that were found, the same with a mistake, laws out of thin air; counts and facts."""

from __future__ import annotations

import random
import re

from geoflow.results import ModelReport

from .drawing import Drawn
from .expressions import square

MOST = 120  # letters of a law that is claimed again


def claims(drawn: Drawn, report: ModelReport, seed: int) -> list[str]:
    """The lines of claims; what holds of them is for the oracle to say."""
    source = random.Random(f"claims {seed}")
    found = [law.text for law in report.found if len(law.text) <= MOST]
    source.shuffle(found)
    laws = found[:3]
    if source.random() < 0.7:
        laws += [spoiled(law, drawn, source) for law in found[:2]]
        laws += [thin_air(drawn, source) for _ in range(source.randint(1, 2))]
    source.shuffle(laws)
    lines = [f"law claim{i} = {law}" for i, law in enumerate(laws)]
    count = report.laws.upper
    lines += [f"expect laws = {count}", f"expect laws = {max(0, count + source.choice([-1, 1]))}"]
    if source.random() < 0.3:
        lines.append("expect no laws")
    lines.append("expect complete")
    if source.random() < 0.5:
        lines.append("expect commuting")
    if source.random() < 0.5:
        lines.append(f"expect depth = {source.randint(0, 2)}")
    own = [n for n in drawn.words.parameters if "[" not in n]
    plain = drawn.flow.startswith("order 1") and "decay" not in drawn.flow
    if plain and len(own) > 1 and drawn.shape != "fields" and source.random() < 0.4:
        names = source.sample(own, source.randint(1, len(own) - 1))
        lines.append(f"expect laws of {', '.join(names)} = {source.randint(0, 1)}")
    return lines


def spoiled(law: str, drawn: Drawn, source: random.Random) -> str:
    """A law with one sign, number or term changed, or a function of it."""
    entry = drawn.words.entry()
    ways = [
        f"2*({law}) + {entry}",
        f"({law})**2",
        f"({law})*{entry}",
        f"{law} - {square(drawn.words)}",
    ]
    signs = [m.start() for m in re.finditer(r" [+-] ", law)]
    if signs:
        k = source.choice(signs) + 1
        ways += [law[:k] + ("-" if law[k] == "+" else "+") + law[k + 1 :]] * 2
    numbers = [m for m in re.finditer(r"(?<![\w.\[:])[2-9](?![\w.\]:])", law)]
    if numbers and "axis" not in law:
        m = source.choice(numbers)
        ways += [law[: m.start()] + str(int(m[0]) + 1) + law[m.end() :]] * 2
    return source.choice(ways)


def thin_air(drawn: Drawn, source: random.Random) -> str:
    """A law that symmetries might have given."""
    w = drawn.words
    x, y, n = w.entry(), w.entry(), w.number()
    names = list(w.parameters)
    ways = [
        f"{x}**2 - {n}*{y}**2",
        f"{x} - {n}*{y}",
        f"{x}*{y}",
        f"{square(w)} - {square(w)}",
        f"{x}/({y}**2 + 1)",
    ]
    for a in names:
        for b in names:
            if a != b and len(w.parameters[a]) == len(w.parameters[b]) == 2:
                if w.parameters[a][1] == w.parameters[b][1]:
                    ways.append(f"{a}.T @ {a} - {b}.T @ {b}")
                if w.parameters[a][0] == w.parameters[b][1]:
                    ways.append(f"{a} @ {a}.T - {b}.T @ {b}")
    if drawn.flow.startswith("order 2") and "[" not in x + y:
        ways += [f"{x}*{y}' - {y}*{x}'", f"exp(t)*({x}' - {y}')"]
    return source.choice(ways)
