"""A report read back from the JSON of `check --format json`."""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from geoflow.report.machine import SCHEMA
from geoflow.results import ModelReport, Report

T = TypeVar("T")


class NotAReport(ValueError):
    """The text is no JSON, or not that of a report of this version."""


def read_report(text: str) -> Report:
    """The report, as far as JSON holds it: no points of certificates, no source, no trajectories.

    Raises:
        NotAReport: a key is missing, or a value of another type.
    """
    try:
        data = json.loads(text)
    except ValueError:
        raise NotAReport("it is not JSON") from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA or "models" not in data:
        raise NotAReport(f'it has no "schema": {SCHEMA} and no "models"')
    models = tuple(_model(model) for model in _list(data["models"]))
    if not models:
        raise NotAReport("no model was checked")
    exit_code, seconds = _read(data, "exit_code", int), _read(data, "seconds", float)
    return Report(models, (), exit_code, seconds)


def _read(data: dict[str, Any], key: str, kind: Any) -> Any:
    if key not in data:
        raise NotAReport(f"`{key}` is missing")
    return _value(data[key], kind, key)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise NotAReport("a list is wanted")
    return value


def _model(data: Any) -> ModelReport:
    if not isinstance(data, dict):
        raise NotAReport("a model is no object")
    data = dict(data)
    facts = dict(data.get("facts") or {})
    facts.pop("real_gates", None)  # told in the notes as well
    if isinstance(data.get("verify"), dict):
        drifts = [[d.get("law"), d.get("drift")] for d in _list(data["verify"].get("drifts", []))]
        data["verify"] = {**data["verify"], "drifts": drifts}
    return _dataclass(
        {**data, "facts": facts, "exhibit": None, "document": None}, ModelReport, "model"
    )


def _dataclass(data: Any, kind: type[T], where: str) -> T:
    """An object as a dataclass; keys that it does not know are later additions."""
    if not isinstance(data, dict):
        raise NotAReport(f"`{where}` is no object")
    hints, given = get_type_hints(kind), {}
    for field in fields(kind):  # pyright: ignore[reportArgumentType]
        if field.name in data:
            given[field.name] = _value(data[field.name], hints[field.name], field.name)
        elif field.name == "point":
            given[field.name] = ()
    try:
        return kind(**given)
    except TypeError as error:
        raise NotAReport(f"`{where}`: {error}") from None


def _value(value: Any, kind: Any, where: str) -> Any:
    """A value of JSON as one of a type of `results`; a number that is not finite was written as null."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        if value is None and NoneType in arguments:
            return None
        return _first(value, [a for a in arguments if a is not NoneType], where)
    if origin is Literal:
        return _checked(value, value in arguments, where)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_value(item, arguments[0], where) for item in _list(value))
    if origin is tuple:
        items = _list(value)
        _checked(items, len(items) == len(arguments), where)
        return tuple(_value(v, a, where) for v, a in zip(items, arguments, strict=True))
    if origin is dict:
        _checked(value, isinstance(value, dict), where)
        return {str(k): _value(v, arguments[1], where) for k, v in value.items()}
    if is_dataclass(kind) and isinstance(kind, type):
        return _dataclass(value, kind, where)
    if kind is float:
        if value is None:
            return math.nan
        good = isinstance(value, int | float) and not isinstance(value, bool)
        return float(_checked(value, good, where))
    if kind is int:
        return _checked(value, isinstance(value, int) and not isinstance(value, bool), where)
    return _checked(value, isinstance(kind, type) and isinstance(value, kind), where)


def _first(value: Any, kinds: list[Any], where: str) -> Any:
    for kind in kinds:
        try:
            return _value(value, kind, where)
        except NotAReport:
            continue
    raise NotAReport(f"`{where}` has a value of another type")


def _checked(value: Any, good: bool, where: str) -> Any:
    if not good:
        raise NotAReport(f"`{where}` has a value of another type")
    return value
