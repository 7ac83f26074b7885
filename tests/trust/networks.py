"""Random small networks: linear, squared, bilinear, attention, convolutions, tokens, gates, smooth functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .drawing import Sketch

SMOOTH = ("tanh", "sigmoid", "softplus", "silu", "exp")


def network(s: Sketch) -> tuple[str, list[str]]:
    """Fill the sketch; the kind in words, and the `input` lines."""
    source = s.source
    kinds = [dense, dense, gated, gated, gated, bilinear, convolution, smooth]
    if s.limit >= 6:
        kinds += [attention, tokens, standard, standard]
    return source.choice(kinds)(s)


def widths(s: Sketch, biases: bool) -> tuple[int, int, int]:
    """Of a network with one hidden layer."""
    fitting = [
        (n, r, m)
        for n in (1, 2)
        for r in (1, 2, 3)
        for m in (1, 2)
        if r * (n + m + biases) <= s.room
    ]
    return s.source.choice(fitting or [(1, 1, 1)])


def dense(s: Sketch) -> tuple[str, list[str]]:
    """Linear and squared layers."""
    biases = s.source.random() < 0.4
    n, r, m = widths(s, biases)
    w, v = s.parameter(r, n), s.parameter(m, r)
    hidden = f"{w} @ data"
    if biases and s.room >= r:
        hidden = f"{hidden} + {s.parameter(r)}"
    power = s.source.choice(["", "**2", "**3"])
    skip = f" + {s.words.number()}*sum(data)" if s.source.random() < 0.15 else ""
    s.maps.append(f"{v} @ ({hidden}){power}{skip}")
    return "polynomial network", [f"input data[{n}]"]


def gated(s: Sketch) -> tuple[str, list[str]]:
    """ReLU and its like."""
    biases = s.source.random() < 0.4
    n, r, m = widths(s, biases)
    w, v = s.parameter(r, n), s.parameter(m, r)
    hidden = f"{w} @ data"
    if biases and s.room >= r:
        hidden = f"{hidden} + {s.parameter(r)}"
    kind = s.source.choice(["relu", "relu", "relu", "leaky", "abs", "maximum", "square", "deep"])
    if kind == "deep" and s.room >= m:
        s.maps.append(f"{s.parameter(1, m)} @ relu({v} @ relu({hidden}))")
    else:
        layer = {
            "leaky": f"leaky_relu({hidden})",
            "abs": f"abs({hidden})",
            "maximum": f"maximum({hidden}, {w} @ (2*data))",
            "square": f"relu({hidden})**2",
        }.get(kind, f"relu({hidden})")
        s.maps.append(f"{v} @ {layer}")
    return "gated network", [f"input data[{n}]"]


def bilinear(s: Sketch) -> tuple[str, list[str]]:
    """A gate of one linear layer for another."""
    fitting = [(n, r) for n in (1, 2) for r in (1, 2) if r * (2 * n + 1) <= s.room]
    n, r = s.source.choice(fitting or [(1, 1)])
    a, b, o = s.parameter(r, n), s.parameter(r, n), s.parameter(1, r)
    outer = s.source.choice(["{0}", "relu({0})"])
    first = outer.format(f"{a} @ data")
    s.maps.append(f"{o} @ (({first})*({b} @ data))")
    kind = "gated network" if "relu" in first else "polynomial network"
    return kind, [f"input data[{n}]"]


def convolution(s: Sketch) -> tuple[str, list[str]]:
    """A convolution and a dense layer."""
    channels = 2 if s.room >= 8 else 1
    k = s.parameter(channels, 1, 2)
    w = s.parameter(channels, 2)
    inner = f"conv1d(data, {k})"
    if s.source.random() < 0.5:
        s.maps.append(f"sum(relu({inner})*{w})")
        return "gated network", ["input data[1, 3]"]
    s.maps.append(f"sum({inner}*{w}, axis=1)")
    return "polynomial network", ["input data[1, 3]"]


def smooth(s: Sketch) -> tuple[str, list[str]]:
    """One or two neurons with a smooth function."""
    f = s.source.choice(SMOOTH)
    a, b = s.parameter(), s.parameter()
    hidden = f"{b}*data"
    if s.room and s.source.random() < 0.4:
        hidden = f"{hidden} + {s.parameter()}"
    kind = s.source.randrange(3)
    if kind == 0 or not s.room:
        s.maps.append(f"{a}*{f}({hidden})")
    elif kind == 1:
        s.maps.append(f"{a}*{s.parameter()}*{f}({hidden})")
    else:
        s.maps.append(f"{a}*{f}({s.parameter()}*{hidden})")
    return "smooth network", ["input data"]


def attention(s: Sketch) -> tuple[str, list[str]]:
    """One head of linear attention."""
    q, k = s.parameter(2, 1), s.parameter(2, 1)
    use = ["input X[2, 2]"]
    if s.room >= 4:
        v, o = s.parameter(2, 1), s.parameter(1, 1)
        s.maps.append(f"X @ {q} @ {k}.T @ X.T @ X @ {v} @ {o}")
    else:
        s.maps.append(f"X @ {q} @ {k}.T @ X.T @ X")
    return "polynomial network", use


def tokens(s: Sketch) -> tuple[str, list[str]]:
    """An embedding and a linear layer."""
    e, a = s.parameter(2, 1), s.parameter(1, 2)
    power = s.source.choice(["", "**2"])
    s.maps.append(f"embedding({e}, words){power} @ {a}")
    return "tokens", ["input words[2] below 2"]


def standard(s: Sketch) -> tuple[str, list[str]]:
    """One of the definitions that come with geoflow."""
    kind = s.source.choice(["bilinear", "residual", "mlp", "linear_attention", "affine"])
    if kind == "bilinear":
        a, b, o = s.parameter(1, 2), s.parameter(1, 2), s.parameter(1, 1)
        s.maps.append(f"bilinear({a}, {b}, {o}, data)")
    elif kind == "residual":
        a, b = s.parameter(1, 2), s.parameter(2, 1)
        s.maps.append(f"residual({a}, {b}, data)")
    elif kind == "mlp":
        a, u, b = s.parameter(1, 2), s.parameter(1), s.parameter(2, 1)
        s.maps.append(f"mlp({a}, {u}, {b}, 0, data)")
    elif kind == "linear_attention":
        q, k = s.parameter(2, 1), s.parameter(2, 1)
        s.maps.append(f"linear_attention({q}, {k}, {k}, {q}, data)")
    else:
        a, u = s.parameter(2, 2), s.parameter(2)
        s.maps.append(f"affine({a}, {u}, data)**2")
    shape = "2, 2" if kind == "linear_attention" else "2"
    file = "attention" if "attention" in kind else "layers"
    gated = "gated network" if kind in ("mlp", "residual") else "polynomial network"
    return gated, [f'use "std/{file}.geo"', f"input data[{shape}]"]
