"""What was written as JSON read back: a text of JSON as anybody may have made it, and values of it as dataclasses.

A key that stands twice in an object is refused: readers that take the first and readers that take the last would see
two documents.
"""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
LARGEST_FILE = 64 * 2**20  # bytes
DEEPEST = 500
_LARGEST_NUMBER = 10**40


class NotStored(ValueError):
    """The text is no JSON, or a value is not what is wanted."""


def read_file(path: Path) -> str:
    """The text of a regular file.

    Raises:
        OSError: it cannot be read.
        NotStored: it is no file, is too long, or no UTF-8.
    """
    if path.exists() and not path.is_file():
        raise NotStored("it is a folder" if path.is_dir() else "it is not a regular file")
    with path.open("rb") as file:
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise NotStored(f"it has more than {LARGEST_FILE // 2**20} MiB")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise NotStored("it is no text") from None


def read_json(text: str) -> Any:
    """The value of a text.

    Raises:
        NotStored: it is no JSON, has a key twice, or is nested too deeply.
    """
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except NotStored:
        raise
    except ValueError:
        raise NotStored("it is not JSON") from None
    except RecursionError:
        raise NotStored("it is nested too deeply") from None
    _verify_depth(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for k, (key, _) in enumerate(pairs) if key in dict(pairs[:k]))
        raise NotStored(f"the key {twice[:100]!r} stands twice in an object")
    return found


def _verify_depth(value: Any) -> None:
    """What follows goes down by recursion."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST):
        parts = (item.values() if isinstance(item, dict) else item for item in level)
        level = [part for own in parts for part in own if isinstance(part, dict | list)]
        if not level:
            return
    raise NotStored("it is nested too deeply")


def read_as(value: Any, kind: Any, where: str) -> Any:
    """A value of JSON as one of a type; a number that is not finite was written as null.

    Raises:
        NotStored: it is of another type.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        if value is None and NoneType in arguments:
            return None
        return _first(value, [a for a in arguments if a is not NoneType], where)
    if origin is Literal:
        return checked(value, isinstance(value, str | int) and value in arguments, where)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(read_as(item, arguments[0], where) for item in read_list(value))
    if origin is tuple:
        items = read_list(value)
        checked(items, len(items) == len(arguments), where)
        return tuple(read_as(v, a, where) for v, a in zip(items, arguments, strict=True))
    if origin is dict:
        checked(value, isinstance(value, dict), where)
        return {str(k): read_as(v, arguments[1], where) for k, v in value.items()}
    if is_dataclass(kind) and isinstance(kind, type):
        return read_dataclass(value, kind, where)
    if kind is float:
        return math.nan if value is None else float(checked(value, _number(value), where))
    if kind is int:
        return checked(value, isinstance(value, int) and _number(value), where)
    return checked(value, isinstance(kind, type) and isinstance(value, kind), where)


def _number(value: Any) -> bool:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    return good and (isinstance(value, float) or abs(value) <= _LARGEST_NUMBER)


def read_dataclass(data: Any, kind: type[T], where: str) -> T:
    """An object as a dataclass; keys that it does not know are later additions.

    Raises:
        NotStored: a key is missing, or a value of another type.
    """
    if not isinstance(data, dict):
        raise NotStored(f"`{where}` is no object")
    hints, given = get_type_hints(kind), {}
    for field in fields(kind):  # pyright: ignore[reportArgumentType]
        if field.name in data:
            given[field.name] = read_as(data[field.name], hints[field.name], field.name)
        elif field.name == "point":  # of a certificate, which JSON leaves out
            given[field.name] = ()
    try:
        return kind(**given)
    except TypeError as error:
        raise NotStored(f"`{where}`: {error}") from None


def _first(value: Any, kinds: list[Any], where: str) -> Any:
    for kind in kinds:
        try:
            return read_as(value, kind, where)
        except NotStored:
            continue
    raise NotStored(f"`{where}` has a value of another type")


def read_list(value: Any) -> list[Any]:
    """A list. Raises `NotStored`."""
    if not isinstance(value, list):
        raise NotStored("a list is wanted")
    return value


def checked(value: Any, good: bool, where: str) -> Any:
    """The value, where it is good. Raises `NotStored`."""
    if not good:
        raise NotStored(f"`{where}` has a value of another type")
    return value
