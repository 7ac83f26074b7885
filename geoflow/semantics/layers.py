"""The shape of the operations that networks are made of; `RULES` has those of all operations.

Convolutions and pooling work on the last axes, channels come before them, and before the channels there may be one
axis of data.
"""

from __future__ import annotations

from collections.abc import Sequence

from geoflow.expr.tree import Shape
from geoflow.semantics import shapes
from geoflow.semantics.shapes import Misfit, Options, Rule, broadcast, words


def _softmax(given: Sequence[Shape], options: Options) -> Shape:
    (shape,) = given
    shapes.resolve_axis(options["axis"], len(shape))
    return shape


def _convolution(axes: int) -> Rule:
    def rule(given: Sequence[Shape], options: Options) -> Shape:
        x, kernel = given
        spatial = ("length", "height and width")[axes - 1]
        if len(x) not in (axes + 1, axes + 2):
            raise Misfit("GEO0305", f"channels and {spatial} are needed, and this is {words(x)}")
        if len(kernel) != axes + 2:
            raise Misfit(
                "GEO0305", f"a kernel has {axes + 2} axes, channels out, channels in and {spatial}"
            )
        groups, channels = options["groups"], x[-1 - axes]
        if channels % groups or kernel[0] % groups:
            raise Misfit(
                "GEO0301",
                f"{channels} channels in and {kernel[0]} out do not fall into {groups} groups",
            )
        if kernel[1] * groups != channels:
            raise Misfit(
                "GEO0301", f"the kernel takes {kernel[1] * groups} channels where {channels} are"
            )
        places = _windows(x[-axes:], kernel[2:], options["stride"], options["padding"])
        return (*x[: -1 - axes], kernel[0], *places)

    return rule


def _pooling(given: Sequence[Shape], options: Options) -> Shape:
    (x,) = given
    window = options["k"]
    if len(window) > 2:
        raise Misfit("GEO0208", f"a window has one size or two, and here are {len(window)}")
    if len(x) < len(window):
        raise Misfit("GEO0305", f"a window of {len(window)} axes does not lie in {words(x)}")
    axes = len(window)
    return (*x[:-axes], *_windows(x[-axes:], window, options["stride"], (0,) * axes))


def _windows(sizes: Shape, window: Shape, strides: Shape, paddings: Shape) -> Shape:
    """How many places a window has along each axis."""
    places: list[int] = []
    for size, width, stride, padding in zip(sizes, window, strides, paddings, strict=True):
        room = size + 2 * padding
        if width > room:
            raise Misfit("GEO0301", f"a window of {width} does not fit into {room}")
        places.append((room - width) // stride + 1)
    return tuple(places)


def _normalization(given: Sequence[Shape], options: Options) -> Shape:
    """Of the last axis, by gains of its length."""
    x, *gains, _ = given
    if not x:
        raise Misfit("GEO0305", "an axis is needed, and this is a scalar")
    for gain in gains:
        if gain not in ((), x[-1:]):
            raise Misfit("GEO0301", f"gains are {words(x[-1:])} here, not {words(gain)}")
    return x


def _batch_normalization(given: Sequence[Shape], options: Options) -> Shape:
    """Over axis 0, the data, and over all axes beyond the channels."""
    x, *gains, _ = given
    if not x:
        raise Misfit("GEO0305", "an axis of data is needed, and this is a scalar")
    for gain in gains:
        if gain not in ((), x[1:2]):
            raise Misfit("GEO0301", f"gains are {words(x[1:2])} here, not {words(gain)}")
    return x


def _elementwise(given: Sequence[Shape], options: Options) -> Shape:
    return broadcast(given)


def _square(given: Sequence[Shape], options: Options) -> Shape:
    return (options["size"], options["size"])


_ELEMENTWISE = ("relu", "leaky_relu", "abs", "maximum", "minimum")
_SMOOTH = ("tanh", "sigmoid", "softplus", "gelu", "silu")

RULES: dict[str, Rule] = {
    **shapes.RULES,
    **dict.fromkeys((*_ELEMENTWISE, *_SMOOTH), _elementwise),
    "softmax": _softmax,
    "conv1d": _convolution(1),
    "conv2d": _convolution(2),
    "max_pool": _pooling,
    "avg_pool": _pooling,
    "layer_norm": _normalization,
    "rms_norm": _normalization,
    "batch_norm": _batch_normalization,
    "tril": _square,
}
