"""Random metrics, flows, decays and classes of losses for a map or a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .drawing import Sketch

MIRRORS = {
    "mirror(entropy)": True,
    "mirror(log_barrier)": True,
    "mirror(power(3))": True,
    "mirror(power(4))": False,
    "mirror(power(5))": True,
    "mirror(power(-1))": True,
    "mirror(u -> u**4/12 + u**2/2)": False,
    "mirror(u -> u**2 + u**6/30)": False,
}


@dataclass
class Setting:
    """What kind of flow; `name` says more once it is drawn."""

    kind: str
    network: bool
    name: str = ""


def flow_lines(s: Sketch, setting: Setting) -> list[str]:
    """The lines after the map."""
    lines, metric = metric_lines(s, setting)
    flow, order = motion(s, setting, metric)
    decay, decayed = decay_lines(s, setting)
    loss = loss_line(s, setting)
    setting.name = f"{order}{decayed}, {metric}"
    return [*lines, *flow, *decay, *loss]


def families(s: Sketch) -> list[str]:
    """Parameters, a family as one."""
    return list(dict.fromkeys(n.split("[")[0] for n in s.words.parameters))


def members(s: Sketch, name: str) -> list[str]:
    """The members of a family."""
    return [n for n in s.words.parameters if n == name or n.startswith(f"{name}[")]


def metric_lines(s: Sketch, setting: Setting) -> tuple[list[str], str]:
    """`metric …`, and its kind in words."""
    source, names = s.source, families(s)
    if setting.kind == "natural":
        damping = source.choice(["", "", ", damping = 1/2", ", damping = 2"])
        kind = source.choice(["full", "blocks", "diagonal"])
        return [f"metric fisher({kind}{damping})"], "fisher"
    if setting.kind == "riemannian":
        return riemannian(s), "riemannian"
    if setting.kind == "adaptive":
        return [], "euclidean"
    draw = source.random()
    if draw < 0.35:
        return [], "euclidean"
    if draw < 0.55:
        lines = [f"metric {scaled(s, name)} on {name}" for name in names if source.random() < 0.8]
        return lines, "scaled" if lines else "euclidean"
    chosen = source.choice(list(MIRRORS))
    own = names if source.random() < 0.6 else source.sample(names, source.randint(1, len(names)))
    lines = []
    for name in own:
        kind = chosen if source.random() < 0.7 else source.choice(list(MIRRORS))
        if MIRRORS[kind]:
            s.positive |= set(members(s, name))
        lines.append(f"metric {kind} on {name}")
    return lines, "mirror"


def scaled(s: Sketch, name: str) -> str:
    """A rate, or one for each entry of a vector."""
    shapes = [s.words.parameters[m] for m in members(s, name)]
    if len(shapes) == 1 and len(shapes[0]) == 1 and s.source.random() < 0.5:
        rates = [s.source.choice(["1", "2", "1/3", "1/10"]) for _ in range(shapes[0][0])]
        return f"scaled([{', '.join(rates)}])"
    return f"scaled({s.source.choice(['1/10', '2', '3/7', *s.words.numbers])})"


def riemannian(s: Sketch) -> list[str]:
    """A positive definite matrix on all parameters, or on one."""
    w, source = s.words, s.source
    name = source.choice(families(s))
    on = [name] if source.random() < 0.5 else families(s)
    own = [e for n in on for m in members(s, n) for e in w.entries_of(m)]
    kind = source.randrange(4)
    n = len(own)
    if kind == 0:
        made = f"diag([{', '.join(f'1 + {e}**2' for e in own)}])"
    elif kind == 1:
        other = w.entry()
        made = f"(1 + {other}**2)*eye({n})"
    elif kind == 2:
        column = "[" + ", ".join(own) + "]"
        made = f"eye({n}) + outer({column}, {column})"
    else:
        rows = [
            [w.pick("2", "3") if i == j else "1/2" if abs(i - j) == 1 else "0" for j in range(n)]
            for i in range(n)
        ]
        made = "[" + ", ".join("[" + ", ".join(row) + "]" for row in rows) + "]"
    return [f"metric riemannian({made}) on {', '.join(on)}"]


def motion(s: Sketch, setting: Setting, metric: str) -> tuple[list[str], str]:
    """`flow …`, and its kind in words."""
    source = s.source
    if setting.kind == "momentum":
        symbols = [n for n in s.words.numbers if n != "c"]
        damping = source.choice(
            ["", "1", "1/2", "3/t", "3/t", "1/t", "t", "1 + 1/t", *s.words.numbers, *symbols]
        )
        line = f"flow order 2 damping {damping}" if damping else "flow order 2"
        if metric == "mirror" and damping and source.random() < 0.4:
            return [f"{line} accelerated"], "order 2 accelerated"
        return [line], "order 2"
    if setting.kind == "adaptive":
        draw = source.random()
        if draw < 0.3:
            return ["flow adam(b1 = 1/10, b2 = 1/20)"], "adam"
        if draw < 0.6:
            return [f"flow rmsprop(b2 = {source.choice(['1/10', '2'])})"], "rmsprop"
        return [f"flow sign({source.choice([1, 3, 3])})"], "sign"
    return (["flow order 1"] if source.random() < 0.3 else []), "order 1"


def decay_lines(s: Sketch, setting: Setting) -> tuple[list[str], str]:
    """`decay …`."""
    source = s.source
    momentum = setting.kind == "momentum"
    if setting.kind != "decay" and not (momentum and source.random() < 0.3):
        return [], ""
    coupling = source.choice(["coupled", "decoupled", *([] if momentum else [""])])
    rates = ["1/10", "1", "2", *s.words.numbers]
    if source.random() < 0.55:
        lines = [f"decay {source.choice(rates)} {coupling}".rstrip()]
    else:
        own = [n for n in families(s) if source.random() < 0.7] or families(s)[:1]
        lines = [f"decay {source.choice(rates)} on {n} {coupling}".rstrip() for n in own]
    return lines, f" {coupling or 'decoupled'} decay"


def loss_line(s: Sketch, setting: Setting) -> list[str]:
    """`loss …`."""
    draw = s.source.random()
    if setting.kind in ("adaptive", "natural") or draw > 0.2:
        return ["loss any"] if draw > 0.95 else []
    if setting.network or draw < 0.1:
        return ["loss cross_entropy"]
    return [f"loss data({s.source.choice([1, 1, 2])})"]
