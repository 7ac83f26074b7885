"""Sums of monomials in free symbols, with coefficients that are linear in some unknowns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from geoflow.structure.diagrams import Axis, Draft, Monomial, NotShown

ONE = -1  # in the place of an unknown: a number
_MOST_TERMS = 400

Coefficients = dict[int, Fraction]  # by unknown
Words = dict[Monomial, Coefficients]


def single(monomial: Monomial, unknown: int = ONE, value: Fraction = Fraction(1)) -> Words:
    """One monomial."""
    return {monomial: {unknown: value}}


def plus(*sums: Words) -> Words:
    """Their sum."""
    total: Words = {}
    for words in sums:
        for monomial, own in words.items():
            held = total.setdefault(monomial, {})
            for k, c in own.items():
                held[k] = held.get(k, Fraction(0)) + c
    return _reduced(total)


def times(words: Words, factor: Fraction) -> Words:
    """A multiple."""
    return _reduced({m: {k: c * factor for k, c in own.items()} for m, own in words.items()})


def _reduced(words: Words) -> Words:
    found = {m: {k: c for k, c in own.items() if c} for m, own in words.items()}
    found = {m: own for m, own in found.items() if own}
    if len(found) > _MOST_TERMS:
        raise NotShown
    return found


def multiplied(
    a: Words, b: Words, join: Callable[[Draft, list[Axis], list[Axis]], list[Axis]]
) -> Words:
    """Products of all pairs; `join` makes indices shared, and says the axes of the result. One of the sums has numbers
    for coefficients."""
    total: list[Words] = []
    for x, left in a.items():
        for y, right in b.items():
            draft = Draft()
            outs = join(draft, draft.put(x), draft.put(y))
            count, monomial = draft.finished(outs)
            number, form = (left, right) if ONE in left else (right, left)
            total.append({monomial: {k: number[ONE] * c * count for k, c in form.items()}})
    return plus(*total)


def mapped(words: Words, change: Callable[[Draft, list[Axis]], Sequence[Axis]]) -> Words:
    """Each monomial with other axes of the result; those that are left out are summed over."""
    total: list[Words] = []
    for m, own in words.items():
        draft = Draft()
        count, monomial = draft.finished(list(change(draft, draft.put(m))))
        total.append({monomial: {k: c * count for k, c in own.items()}})
    return plus(*total)


def each(words: Words, change: Callable[[Monomial], Monomial]) -> Words:
    """Each monomial replaced."""
    return plus(*({change(m): own} for m, own in words.items()))


class Conditions:
    """Linear forms in the unknowns that are to vanish, each with an unknown that no other has."""

    def __init__(self) -> None:
        self._rows: dict[int, Coefficients] = {}

    @property
    def forms(self) -> list[Coefficients]:
        """A basis of them."""
        return list(self._rows.values())

    def reduced(self, form: Coefficients) -> Coefficients:
        """The form modulo these."""
        for lead in [k for k in form if k in self._rows]:
            form = _less(form, form[lead], self._rows[lead])
        return form

    def ask(self, words: Words) -> None:
        """Add that these words vanish in free symbols: the coefficient of each monomial does."""
        for coefficient in words.values():
            form = self.reduced(coefficient)
            if not form:
                continue
            lead, scale = next(iter(form.items()))
            row = {k: c / scale for k, c in form.items()}
            for k, other in self._rows.items():
                if lead in other:
                    self._rows[k] = _less(other, other[lead], row)
            self._rows[lead] = row


def _less(form: Coefficients, factor: Fraction, row: Coefficients) -> Coefficients:
    found = dict(form)
    for k, c in row.items():
        found[k] = found.get(k, Fraction(0)) - factor * c
    return {k: c for k, c in found.items() if c}
