"""JSON that was changed: values of other kinds, keys lost or doubled, texts cut, numbers out of all measure."""

from __future__ import annotations

import contextlib
import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from tests.trust.fuzz.texts import ODD, any_text, damaged_bytes

VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**64, 10**400, -(10**30), 0.5, 1e308, float("nan"),
    float("inf"), "", "0", "1/0", "1e999999", "-3/2", "\x1b[31m", "<script>alert(1)</script>", "proved",
    "\ud800", [], {}, [[]], [[[]]], [0], ["1", [0, 2]], [[["1", [0, 10**9]]]], {"": 0}, "9" * 5000,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to all parts of a value of JSON."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, list):
        for k, item in enumerate(value):
            yield from places(item, (*path, k))


def changed(document: Any, rng: random.Random) -> Any:
    """A value of JSON with some parts replaced, lost, nested or exchanged."""
    found = copy.deepcopy(document)
    for _ in range(rng.randrange(1, 4)):
        all_places = list(places(found))
        if not all_places:
            return rng.choice(VALUES)
        depths = sorted({len(place) for place in all_places})
        depth = rng.choice(depths)  # as often at the head as in the long lists below
        *path, last = rng.choice([place for place in all_places if len(place) == depth])
        holder = found
        for key in path:
            holder = holder[key]
        what = rng.random()
        if what < 0.5:
            holder[last] = copy.deepcopy(rng.choice(VALUES))
        elif what < 0.65:
            del holder[last]
        elif what < 0.75:
            holder[last] = any_text(rng)
        elif what < 0.85:
            holder[last] = [holder[last]]
        elif what < 0.95:
            source = found
            for key in rng.choice(all_places[: len(all_places) // 2 + 1]):
                source = source[key] if _holds(source, key) else source
            holder[last] = copy.deepcopy(source)
        else:
            holder[last] = _nested(rng.choice([20, 100]))
    return found


def _holds(value: Any, key: Any) -> bool:
    if isinstance(value, list):
        return isinstance(key, int) and key < len(value)
    return isinstance(value, dict) and key in value


def _nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


def any_json(
    document: Any, rng: random.Random, finish: Callable[[Any], Any] = lambda data: data
) -> bytes:
    """The bytes of a changed document; `finish` puts what seals it in order again."""
    kind = rng.random()
    if kind < 0.05:
        return rng.choice(
            [b"[" * 10**5, b'{"a":' * 10**5, b"", b"null", b"9" * 10**5, b'"' + b"\\u0000" * 99]
        )
    value = document if kind < 0.2 else changed(document, rng)
    with contextlib.suppress(KeyError, TypeError, ValueError, RecursionError):
        value = finish(value)
    text = json.dumps(value)
    if rng.random() < 0.1:  # a key twice
        text = text.replace("{", '{"digest": 0, "claim": 1, ', 1)
    data = text.encode()
    return data if kind > 0.35 else damaged_bytes(data, rng)


def odd_line(rng: random.Random) -> str:
    """A line that is none of a journal."""
    return rng.choice(ODD) + json.dumps(rng.choice(VALUES))
