"""A certificate checked again with the engine: the model made anew from its text, words, laws and bounds recomputed.

`tools/check_certificate.py` confirms what a certificate says of the fields in it, without this package; here it is
also confirmed that these are the fields of the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import flint
import numpy as np

from geoflow.analysis import assumptions, count
from geoflow.certificates.document import FORMAT, VERSION, digest, error_bound, least_degree
from geoflow.certificates.evidence import bracket_rows
from geoflow.certificates.functions import only_of, parts, read
from geoflow.certificates.laws import WrittenLaw, time_variable
from geoflow.certificates.model import NotWritten, WrittenModel, write_model
from geoflow.deadline import Deadline
from geoflow.diagnostics import DiagnosticError
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.primefield import PrimeField
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.exact.quotient import TooLarge
from geoflow.flow import Flow
from geoflow.lie.bracket import Generator, Letter, exact_constants
from geoflow.lie.closure import AGREEING_RUNS, TooManyCoordinates
from geoflow.lie.point import ModularPoint
from geoflow.memory import MOST_MEMORY
from geoflow.results import Certificate

_MOST_PRIME = 2**26  # products of residues stay exact
_LONGEST_WORD = 16
_CLAIM = {"model", "of", "lower", "upper", "dimension", "rank", "status"}
_MOST_BRACKETS = 10**8  # coordinates times products of nilpotents, over all words
_MOST_PRODUCTS = 10**8  # of terms, in the derivative of a law


class Refused(Exception):
    """What is wrong with a certificate."""


@dataclass(frozen=True)
class Rechecked:
    """`model` is the name of what was certified, `claim` a line; `reasons` say what is wrong, or was not checked."""

    model: str
    claim: str
    outcome: Literal["confirmed", "refused", "not checked"]
    reasons: tuple[str, ...] = ()


def recheck(data: Any, deadline: Deadline = Deadline(), memory: int = MOST_MEMORY) -> Rechecked:
    """The outcome for one certificate, whatever JSON it is."""
    try:
        missing = _check(data, deadline, memory)
    except Refused as error:
        return Rechecked(_name(data), _line(data), "refused", (str(error),))
    except (
        KeyError,
        TypeError,
        ValueError,
        IndexError,
        AttributeError,
        ZeroDivisionError,
        OverflowError,
        RecursionError,
    ) as error:
        reason = f"it is not in the form of certificates ({type(error).__name__}: {error})"
        return Rechecked(_name(data), _line(data), "refused", (reason,))
    except UnluckyPoint:
        return Rechecked(_name(data), _line(data), "refused", ("a denominator vanishes",))
    except (UnsupportedPrimitive, TooManyCoordinates, TooLarge) as error:
        return Rechecked(_name(data), _line(data), "refused", (f"out of reach: {error}",))
    return Rechecked(
        _name(data), _line(data), "not checked" if missing else "confirmed", tuple(missing)
    )


def _name(data: Any) -> str:
    try:
        return str(data["about"]["model"])
    except (KeyError, TypeError, IndexError):
        return "?"


def _line(data: Any) -> str:
    try:
        claim = data["claim"]
        low, high = claim["lower"], claim["upper"]
        number = f"{low}" if low == high else f"{low} to {high}"
        return f"{number} independent laws of the {claim['of']}, {claim['status']}"
    except (KeyError, TypeError, IndexError):
        return "no claim"


def _need(condition: object, message: str) -> None:
    if not condition:
        raise Refused(message)


def _check(data: Any, deadline: Deadline, memory: int) -> list[str]:
    _need(
        digest({k: v for k, v in data.items() if k != "digest"}) == data["digest"],
        "the digest is not that of the content",
    )
    _need((data["format"], data["version"]) == (FORMAT, VERSION), "the format is another")
    claim, missing = data["claim"], [str(x) for x in data["not_checked"]]
    _need(digest(data["model"]) == claim["model"], "the claim is of another model")
    _need(set(claim) == _CLAIM, "the claim has other parts")
    if data["model"] is None:
        return [*missing, "the model is not written out"]
    text = data["about"]["text"]
    if text is None:
        return [*missing, "the certificate has no text that the model could be made from"]
    flow = _flow(data["about"])
    counted = count(flow, data["about"]["seed"], deadline, memory)
    assumed = list(assumptions(counted))
    _need(assumed == data["about"]["assumes"], "the assumptions are others")
    try:
        model = write_model(counted.generator, deadline)
    except NotWritten as error:
        raise Refused(f"the model of the text cannot be written out: {error}") from None
    _need(model.section == data["model"], "the model is not that of the text")
    place = _place(flow, data["place"])
    _upper(counted.generator, place, data["upper"])
    known = _lower(flow, model, place, data["lower"])
    _counts(claim, data, flow.dimension, known, bool(missing))
    if data["bound"] is not None:
        _stagnation(claim, data["bound"], counted.certificate)
    if claim["status"] == "probable" and not counted.certificate.complete:
        missing.append("the runs were not done again to their end")
    of = "path-lifting" if counted.generator.program.gates else "flow"
    _need(claim["of"] == of, "what is counted is something else")
    return missing


def _stagnation(claim: Any, bound: Any, certificate: Certificate) -> None:
    """What makes a count probable: runs over different primes that find no greater rank."""
    primes, degree = bound["primes"], bound["degree"]
    _need(all(_is_prime(p) for p in primes), "a prime of the bound is none, or too large")
    _need(len(set(primes)) == len(primes) >= AGREEING_RUNS, "the bound is not that of several runs")
    _need(claim["rank"] >= certificate.rank, "the rank is greater")
    _need(type(degree) is int and degree >= least_degree(certificate), "the degree is too small")


def _is_prime(p: Any) -> bool:
    return type(p) is int and 2 < p < _MOST_PRIME and bool(flint.fmpz(p).is_prime())


def _flow(about: Any) -> Flow:
    """The flow of the text."""
    from geoflow.lower import lower
    from geoflow.semantics import load_text

    models, found = load_text(about["text"], str(about["file"]), {})
    own = [m for m in models if m.name == about["model"]]
    _need(not any(d.severity == "error" for d in found) and own, "the text is no model")
    _need(own[0].text == about["text"], "the text is not written as a certificate has it")
    try:
        flow = lower(own[0], about["seed"])
    except DiagnosticError:
        raise Refused("the text is no flow") from None
    return flow if about["gates"] is None else flow.with_gates(about["gates"])


def _residues(data: Any, count: int, below: int) -> list[int]:
    good = isinstance(data, list) and len(data) == count
    _need(good and all(type(x) is int and 0 <= x < below for x in data), "numbers out of range")
    return data


def _place(flow: Flow, data: Any) -> ModularPoint:
    p = data["prime"]
    _need(_is_prime(p), "the prime is none, or too large")
    field = PrimeField(p)
    symbols = _residues(data["constants"], len(flow.symbolic_constants), p)
    coordinates = _residues(data["point"], flow.dimension, p)
    symbolic = {
        n: np.full((1, 1), x, dtype=np.int64)
        for n, x in zip(flow.symbolic_constants, symbols, strict=True)
    }
    point, start = {}, 0
    for b in flow.state:
        own = coordinates[start : start + b.size]
        point[b.name] = np.array(own, dtype=np.int64).reshape(1, 1, *b.shape)
        start += b.size
    constants = exact_constants(field, flow.constants, symbolic)
    return ModularPoint(field, constants, point, tuple(coordinates), p - 1, point, symbolic)


def _upper(generator: Generator, place: ModularPoint, data: Any) -> None:
    plain, p = replace(generator, free_gates=False), place.field.p
    size = len(place.integers)
    _need(len(data["words"]) <= size, "there are more words than coordinates")
    brackets = sum(3 ** min(len(word), _LONGEST_WORD) for word in data["words"])
    _need(brackets * size <= _MOST_BRACKETS, "out of reach: the words are too long")
    rows = []
    for word in data["words"]:
        _need(0 < len(word) <= _LONGEST_WORD, "the length of a word")
        letters = [_letter(generator, letter, p) for letter in word]
        rows += [list(map(int, row)) for row in bracket_rows(plain, place, letters, 1)]
    _minor(rows, data, p)


def _letter(generator: Generator, data: Any, p: int) -> Letter:
    weight, *rest = _residues(data, 1 + generator.control_size, p)
    controls, start = [], 0
    for c in generator.controls:
        size = int(np.prod(c.shape, dtype=np.int64))
        own = np.array(rest[start : start + size], dtype=np.int64).reshape(c.shape)
        start += size
        if c.kind in ("gate", "choice", "onehot"):
            _need(np.all(own < 2), "a gate is neither 0 nor 1")
        if c.kind in ("choice", "onehot"):
            axes = c.axes if c.kind == "choice" else (len(c.shape) - 1,)
            _need(np.all(own.sum(axis=axes) == 1), "a choice is not one of its row")
        controls.append(own[None, None])
    return Letter(np.full((1, 1), weight, dtype=np.int64), tuple(controls))


def _lower(flow: Flow, model: WrittenModel, place: ModularPoint, data: Any) -> int:
    """The number of laws proved."""
    ring, symbols, p = model.ring, len(flow.symbolic_constants), place.field.p
    state, time = range(symbols, symbols + flow.dimension), time_variable(flow)
    _need(data["time"] == time, "time is another variable")
    values = [int(x.ravel()[0]) for x in place.symbolic.values()] + list(place.integers)
    values += [0] * _width(model)
    rows = []
    for own in data["laws"]:
        law = WrittenLaw(
            read(own["value"], ring, state.stop),
            read(own["rate"], ring, state.stop),
            tuple((read(c, ring, symbols), read(q, ring, state.stop)) for c, q in own["logs"]),
        )
        _need(law.section == own, "a law is not in lowest terms")
        timely = time is not None and only_of(law.rate, [*range(symbols), time])
        _need(not law.rate or (timely and not law.logs), "the rate of a law")
        gradient = law.gradient(state, time)
        for fields in (model.drift, model.controlled):
            products = sum(_terms(g) * _terms(x) for g, x in zip(gradient, fields, strict=True))
            _need(products <= _MOST_PRODUCTS, "out of reach: a law has too many terms")
            moved = sum(g * x for g, x in zip(gradient, fields, strict=True))
            _need(ring.is_zero(moved), "a law is not conserved")
        rows.append(law.gradient_at(state, time, values, p))
    _minor(rows, data, p)
    if data["single"] is False:
        return len(rows)
    alone = data["single"] is True and not any(model.drift) and not flow.has_drift
    linear = model.section["map"] is not None
    _need(alone and linear and flow.cotangent_size == 1, "the fields are not multiples of one")
    _need(not flow.parametrization.data, "the fields are not multiples of one")
    return flow.dimension - 1


def _terms(value: Any) -> int:
    """Of the numerator and the denominator of a value."""
    numerator, denominator = parts(value)
    return len(numerator) + len(denominator)


def _width(model: WrittenModel) -> int:
    """Variables beside constants and state, which laws do not hold."""
    return (
        model.ring.context.nvars() - len(model.section["constants"]) - len(model.section["state"])
    )


def _minor(rows: Sequence[Sequence[int]], data: Any, p: int) -> None:
    columns = _residues(data["columns"], len(rows), len(rows[0]) if rows else 1)
    square = [[row[k] for k in columns] for row in rows]
    found = int(flint.nmod_mat(square, p).det()) if rows else 1
    _need(found and found == data["determinant"], "a minor is 0, or not what is stated")


def _counts(claim: Any, data: Any, dimension: int, known: int, partial: bool) -> None:
    names = ("lower", "upper", "dimension", "rank")
    low, high, size, rank = _residues([claim[k] for k in names], 4, dimension + 1)
    words = len(data["upper"]["words"])
    _need((size, rank, high) == (dimension, words, dimension - words), "the upper bound is another")
    _need(known == low or (partial and known < low <= high), "the lower bound is another")
    bound = data["bound"]
    if bound is not None and bound["error_bound"] is not None:
        found = error_bound(rank, bound["degree"], bound["primes"])
        _need(str(found) == bound["error_bound"], "the error bound is another")
    status = "proved" if low == high else "probable" if bound is not None else "bounded"
    _need(claim["status"] == status, "the status is another")
