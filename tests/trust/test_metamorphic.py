"""The same flow, written otherwise: names, order, coordinates of φ, blocks, shapes, data, seeds, primes do not matter.

Number, status and the verdicts on claims stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import pytest

from tests.traps.checking import check, force_primes, verdicts


@dataclass(frozen=True)
class Written:
    """A model in its parts. `body` is the map; `rest` are all other lines, whose parameters may be `let`s."""

    params: dict[str, tuple[int, ...]]
    body: str
    size: int  # of φ; 0 for a network, or where the loss sees the coordinates
    rest: tuple[str, ...] = ()
    lets: tuple[str, ...] = ()
    data: str = ""
    positive: bool = False
    euclidean: bool = True
    order: tuple[str, ...] | None = None

    @property
    def text(self) -> str:
        """The model."""
        sign = " > 0" if self.positive else ""
        lines = [
            f"param {n}{list(self.params[n]) if self.params[n] else ''}{sign}"
            for n in self.order or self.params
        ]
        word = "network" if self.data else "map"
        shown = [f"input {self.data}"] if self.data and "input" not in " ".join(self.lets) else []
        return (
            "\n".join([*lines, *shown, *self.lets, f"{word} phi = {self.body}", *self.rest]) + "\n"
        )


BALANCE = ("law balance = U.T @ U - V.T @ V", "law wrong = U.T @ U + V.T @ V", "expect complete")
MODELS = {
    "two layers": Written({"U": (3, 2), "V": (2, 2)}, "U @ V.T", 6, (*BALANCE, "expect laws = 3")),
    "rates": Written(
        {"U": (2, 2), "V": (2, 2)},
        "U @ V.T",
        4,
        ("metric scaled(1/3) on U", "law balance = 3*U.T @ U - V.T @ V", "expect laws = 3"),
        euclidean=False,
    ),
    "masses": Written(
        {"U": (2, 2), "V": (2, 2)},
        "U @ V.T",
        4,
        ("metric mirror(entropy)", "law mass = sum(U, axis=0) - sum(V, axis=0)", "expect laws = 1"),
        positive=True,
        euclidean=False,
    ),
    "cubes": Written(
        {"U": (2, 1), "V": (1, 1)},
        "U @ V.T",
        2,
        ("metric mirror(power(3))", "law cubes = sum(U**3) - sum(V**3)", "expect complete"),
        positive=True,
        euclidean=False,
    ),
    "decay": Written(
        {"U": (2, 2), "V": (2, 2)},
        "U @ V.T",
        4,
        ("decay 1/10", "law balance = exp(t/5)*(U.T @ U - V.T @ V)", "expect laws = 3"),
    ),
    "decay of one": Written(
        {"U": (2, 1), "V": (2, 1)}, "U @ V.T", 4, ("decay 1 on U", "expect no laws"),
    ),
    "momentum": Written(
        {"U": (1, 3), "V": (2, 3)}, "U @ V.T", 2, ("flow order 2 damping 3/t", "expect laws = 3")
    ),
    "natural": Written(
        {"U": (2, 1), "V": (2, 1)},
        "U @ V.T",
        4,
        ("metric fisher(full)", "law norms = sum(U**2) - sum(V**2)", "expect complete"),
        euclidean=False,
    ),
    "stretched": Written(
        {"x": (), "y": ()},
        "[x*y, x**2*y**2]",
        2,
        (
            "metric riemannian(diag([1/(1 + x**2), 1/(1 + y**2)]))",
            "law logs = log(1 + x**2) - log(1 + y**2)",
            "law squares = x**2 - y**2",
            "expect complete",
        ),
        euclidean=False,
    ),
    "chain": Written({"A": (1, 2), "B": (2, 2), "C": (2, 1)}, "A @ B @ C", 1, ("expect laws = 7",)),
    "quotient": Written(
        {"U": (4,)}, "U/sum(U**2)", 4, ("expect no laws", "law norm = sum(U**2)")
    ),
    "few data": Written(
        {"U": (2, 1), "V": (2, 1)}, "U @ V.T", 0, ("loss data(1)", "expect laws = 3")
    ),
    "classes": Written(
        {"U": (2, 1), "V": (3, 1)},
        "U @ V.T",
        0,
        ("loss cross_entropy", "law columns = sum(V, axis=0)", "expect laws = 2"),
    ),
    "relu": Written(
        {"U": (2, 2), "V": (2, 2)},
        "U.T @ relu(V @ x)",
        0,
        ("law neurons = sum(V**2, axis=1) - sum(U**2, axis=1)", "expect laws = 2"),
        data="x[2]",
    ),
    "squares": Written(
        {"U": (2, 2), "V": (2, 2)},
        "U.T @ (V @ x)**2",
        0,
        ("law neurons = sum(V**2, axis=1) - 2*sum(U**2, axis=1)", "expect complete"),
        data="x[2]",
    ),
    "no law": Written({"x": (), "y": ()}, "[x*y, 67108859*x]", 2, ("expect no laws",)),
}  # fmt: skip

Change = Callable[[Written], Written | None]


def renamed(m: Written) -> Written:
    """Other names, in another alphabet too."""
    names = {n: new for n, new in zip(m.params, ("beta2", "θ", "zed", "w"), strict=False)}

    def changed(text: str) -> str:
        return re.sub(r"\b[A-Za-z]\w*\b", lambda w: names.get(w[0], w[0]), text)

    return replace(
        m,
        params={names[n]: s for n, s in m.params.items()},
        body=changed(m.body),
        rest=tuple(map(changed, m.rest)),
    )


def permuted(m: Written) -> Written | None:
    """Parameters declared in another order."""
    if any("riemannian" in line for line in m.rest):
        return None  # its rows are in the order of the declarations
    if len(m.params) == 1:
        return None
    return replace(m, order=tuple(reversed(m.params)))


def mixed(m: Written) -> Written | None:
    """φ in another basis: an invertible rational matrix."""
    if not m.size:
        return None
    n = m.size
    rows = [f"[{', '.join(map(str, row))}]" for row in invertible(n)]
    matrix = f"[{', '.join(rows)}]"
    return replace(m, body=f"{matrix} @ reshape({m.body}, {n})")


def invertible(n: int) -> list[list[Fraction]]:
    """A product of two unit triangular matrices."""
    low = [
        [Fraction(i - j, 2) if j < i else Fraction(int(i == j)) for j in range(n)] for i in range(n)
    ]
    up = [
        [Fraction(j - i, 3) if j > i else Fraction(int(i == j)) for j in range(n)] for i in range(n)
    ]
    return [
        [sum((low[i][k] * up[k][j] for k in range(n)), Fraction(0)) for j in range(n)]
        for i in range(n)
    ]


def bent(m: Written) -> Written | None:
    """φ after a polynomial automorphism: each coordinate and a polynomial of those before it."""
    if not m.size or any("fisher" in line for line in m.rest):
        return None
    entries = ["q[0]"] + [f"q[{i}] + q[{i - 1}]**2 - q[0]*q[{i - 1}]/2" for i in range(1, m.size)]
    if m.size == 1:
        entries = ["q[0] + q[0]**3"]
    return replace(
        m, lets=(*m.lets, f"let q = reshape({m.body}, {m.size})"), body=f"[{', '.join(entries)}]"
    )


def split(m: Written) -> Written | None:
    """One parameter as two blocks of its rows."""
    name = next((n for n, s in m.params.items() if s and s[0] > 1), None)
    if name is None:
        return None
    rows, *others = m.params[name]
    blocks = {f"{name}1": (1, *others), f"{name}2": (rows - 1, *others)}
    params = {
        k: v for n, s in m.params.items() for k, v in (blocks if n == name else {n: s}).items()
    }
    rest = tuple(line.replace(f" on {name}", f" on {name}1, {name}2") for line in m.rest)
    return replace(
        m,
        params=params,
        rest=rest,
        lets=(*m.lets, f"let {name} = concat([{name}1, {name}2], axis=0)"),
    )


def flattened(m: Written) -> Written | None:
    """One parameter as a vector."""
    name = next((n for n, s in m.params.items() if len(s) == 2), None)
    if name is None:
        return None
    rows, columns = m.params[name]
    params = {
        n if n != name else "flat": s if n != name else (rows * columns,)
        for n, s in m.params.items()
    }
    rest = tuple(line.replace(f" on {name}", " on flat") for line in m.rest)
    made = f"let {name} = reshape(flat, ({rows}, {columns}))"
    return replace(m, params=params, rest=rest, lets=(*m.lets, made))


def transposed(m: Written) -> Written | None:
    """One parameter as its transpose."""
    name = next((n for n, s in reversed(m.params.items()) if len(s) == 2), None)
    if name is None:
        return None
    params = {
        n if n != name else "turned": s if n != name else s[::-1] for n, s in m.params.items()
    }
    rest = tuple(line.replace(f" on {name}", " on turned") for line in m.rest)
    return replace(m, params=params, rest=rest, lets=(*m.lets, f"let {name} = turned.T"))


def rescaled_data(m: Written) -> Written | None:
    """Data in other units and directions."""
    if not m.data:
        return None
    n = int(re.findall(r"\d+", m.data)[0])
    rows = [["3" if i == j else "1/2" if j == i + 1 else "0" for j in range(n)] for i in range(n)]
    scale = "[" + ", ".join(f"[{', '.join(row)}]" for row in rows) + "]"
    return replace(m, lets=(f"input raw[{n}]", *m.lets, f"let x = {scale} @ raw"))


def other_units(m: Written) -> Written | None:
    """One parameter in other units, with the rate that makes up for it."""
    if not m.euclidean or any("decay" in line for line in m.rest):
        return None
    name = next(iter(m.params))
    params = {n if n != name else "halves": s for n, s in m.params.items()}
    return replace(
        m,
        params=params,
        lets=(*m.lets, f"let {name} = halves/2"),
        rest=("metric scaled(4) on halves", *m.rest),
    )


CHANGES: dict[str, Change] = {
    f.__name__: f
    for f in (
        renamed, permuted, mixed, bent, split, flattened, transposed, rescaled_data, other_units,
    )
}  # fmt: skip


def outcome(text: str, seed: int = 0) -> tuple[object, ...]:
    """All that must not move."""
    report = check(text, seed)
    return report.laws.lower, report.laws.upper, report.laws.status, verdicts(report)


def cases() -> Iterator[tuple[str, str]]:
    """Every change that a model admits."""
    for name, model in MODELS.items():
        for how, change in CHANGES.items():
            if change(model) is not None:
                yield name, how


SLOW = {"mixed", "transposed", "rescaled_data", "chain"}  # changes, and one model


@pytest.mark.parametrize(
    ("name", "how"),
    [pytest.param(*c, marks=pytest.mark.slow) if SLOW & set(c) else c for c in cases()],
)
def test_written_otherwise(name: str, how: str) -> None:
    model = MODELS[name]
    changed = CHANGES[how](model)
    assert changed is not None
    assert changed.text != model.text
    assert outcome(changed.text) == outcome(model.text), changed.text


@pytest.mark.parametrize("name", MODELS)
def test_other_seeds(name: str) -> None:
    text = MODELS[name].text
    assert outcome(text, 12345) == outcome(text)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_other_primes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = MODELS[name].text
    before = outcome(text)
    primes = [33554467, 33554473, 33554501, 33554503, 33554509, 33554519]

    def forever() -> Iterator[int]:
        while True:
            yield from primes

    force_primes(monkeypatch, forever())
    assert outcome(text) == before


def test_a_change_of_the_flow_is_seen() -> None:
    """The comparison itself: a matrix that is not invertible, a coefficient of a law."""
    model = MODELS["no law"]
    assert outcome(replace(model, body="[x*y, 0*x]").text) != outcome(model.text)
    rates = MODELS["rates"]
    other = tuple(line.replace("3*U", "2*U") for line in rates.rest)
    assert outcome(replace(rates, rest=other).text) != outcome(rates.text)
