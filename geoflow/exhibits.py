"""What a page shows beside the verdicts: the model in mathematical notation, its text, its trajectories. Frozen,
JSON-ready data, and no markup: a formula is a tree of named parts, so that nobody's text can become a tag."""

from __future__ import annotations

from dataclasses import dataclass

TAGS = frozenset(
    ("mi", "mn", "mo", "mtext", "mrow", "msup", "msub", "mfrac", "msqrt", "mover", "upright")
)


@dataclass(frozen=True)
class Math:
    """A part of a formula as in MathML: a text, or parts. `upright` is an identifier that is not slanted."""

    tag: str
    content: str | tuple[Math, ...]

    def __post_init__(self) -> None:
        if self.tag not in TAGS:
            raise ValueError(f"no part of a formula is called {self.tag!r}")


@dataclass(frozen=True)
class Equation:
    """A line of the model: what it is ("map", "flow"), and the formula, or its text where that is too long."""

    what: str
    math: Math | None
    text: str = ""


@dataclass(frozen=True)
class DriftCurve:
    """The largest relative change of a law's entries, by time."""

    text: str
    sizes: tuple[float, ...]


@dataclass(frozen=True)
class Curves:
    """One trajectory: the laws, and the relative change of a function that is no law."""

    run: str
    times: tuple[float, ...]
    laws: tuple[DriftCurve, ...]
    control: tuple[float, ...]
    tolerance: float


@dataclass(frozen=True)
class Exhibit:
    """`source`: the file in pieces, each with the kind of its words. `formulas`: the laws by text."""

    source: tuple[tuple[str, str], ...]
    equations: tuple[Equation, ...]
    formulas: tuple[tuple[str, Math], ...]
    curves: Curves | None = None

    def formula(self, text: str) -> Math | None:
        """The formula of a law."""
        return dict(self.formulas).get(text)
