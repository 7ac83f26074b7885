"""Random parametrizations: each builder adds parameters, coordinates of φ and its symmetries."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import sympy

from .terms import Term, einsum, listed, number, product, symbol, total


@dataclass(frozen=True)
class Rescaling:
    """Weights w such that θ_p → c^{w_p} θ_p leaves φ alone, for each index along the axis kept."""

    weights: tuple[tuple[Term, Fraction, int | None], ...]  # parameter, weight, axis summed over


@dataclass
class Sketch:
    """A model while it is drawn."""

    source: random.Random
    order: int
    limit: int  # of scalar parameters
    parameters: list[Term] = field(default_factory=list)
    maps: list[Term] = field(default_factory=list)
    rescalings: list[Rescaling] = field(default_factory=list)
    translations: list[tuple[tuple[Term, Fraction], ...]] = field(default_factory=list)
    layers: list[tuple[Term, Term]] = field(default_factory=list)  # A, B that occur only as A @ B.T

    @property
    def room(self) -> int:
        """How many scalar parameters may still be added."""
        return self.limit - sum(p.entries.size for p in self.parameters)

    def parameter(self, *shape: int) -> Term:
        """Declare the next parameter."""
        names = "xyzw" if not shape else "uvab" if len(shape) == 1 else "UVAB"
        taken = {p.text for p in self.parameters}
        name = next(n for n in [*names, *(f"q{i}" for i in range(9))] if n not in taken)
        self.parameters.append(symbol(name, shape))
        return self.parameters[-1]

    def scalars(self) -> list[Term]:
        """Declare two to four scalars."""
        return [self.parameter() for _ in range(self.source.randint(2, min(4, self.room)))]

    def coefficient(self) -> Term:
        """A positive rational."""
        return number(Fraction(self.source.randint(1, 5), self.source.choice([1, 1, 2, 3])))

    def balance(self, *weights: tuple[Term, int, int | None]) -> None:
        """Remember a rescaling."""
        self.rescalings.append(Rescaling(tuple((p, Fraction(w), axis) for p, w, axis in weights)))


def scalar_polynomials(sketch: Sketch) -> None:
    """One or two products of linear forms or monomials in a few scalars."""
    source, scalars = sketch.source, sketch.scalars()
    for _ in range(source.randint(1, 2)):
        left, right = source.sample(scalars, 2)
        third = source.choice(scalars)
        sketch.maps.append(
            source.choice(
                [
                    (left + sketch.coefficient() * right) ** source.randint(1, 3),
                    left**2 * right - sketch.coefficient(),
                    left * right + sketch.coefficient() * third**2,
                    -left * (right - third / number(2)),
                ]
            )
        )


def linear_forms(sketch: Sketch) -> None:
    """Functions of a few linear forms: the translations that leave them alone are a nullspace."""
    source, scalars = sketch.source, sketch.scalars()
    table = [
        [source.randint(0, 2) for _ in scalars] for _ in range(source.randint(1, len(scalars)))
    ]
    forms = []
    for row in table:
        row[source.randrange(len(row))] += 1
        form = number(source.randint(0, 3))
        for weight, x in zip(row, scalars, strict=True):
            form = form + (x if weight == 1 else number(weight) * x) if weight else form
        forms.append(form)
    sketch.maps.append(forms[0] ** source.randint(1, 3))
    for left, right in pairwise(forms):
        sketch.maps.append(
            source.choice([left * right, right**2 - left, right / (number(1) + left**2)])
        )
    for vector in sympy.Matrix(table).nullspace():
        terms = (
            (x, Fraction(int(w.p), int(w.q))) for x, w in zip(scalars, vector, strict=True) if w
        )
        sketch.translations.append(tuple(terms))


def monomials(sketch: Sketch) -> None:
    """Monomials with negative exponents too: the rescalings are a nullspace."""
    source, scalars = sketch.source, sketch.scalars()
    table = []
    for _ in range(source.randint(1, len(scalars) - 1)):
        result, row = sketch.coefficient(), [0] * len(scalars)
        for i in source.sample(range(len(scalars)), source.randint(2, len(scalars))):
            row[i] = source.choice([1, 1, 2, 3, -1, -2])
            factor = scalars[i] ** abs(row[i]) if abs(row[i]) > 1 else scalars[i]
            result = result * factor if row[i] > 0 else result / factor
        table.append(row)
        sketch.maps.append(result)
    for vector in sympy.Matrix(table).nullspace():
        weights = [Fraction(int(w.p), int(w.q)) for w in vector]
        terms = [(x, w, None) for x, w in zip(scalars, weights, strict=True) if w]
        sketch.rescalings.append(Rescaling(tuple(terms)))


def matrix_product(sketch: Sketch) -> None:
    """U Vᵀ, perhaps with a bias."""
    source = sketch.source
    sizes = [
        (n, r, m)
        for n in (1, 2, 3)
        for r in (1, 2, 3)
        for m in (1, 2)
        if (n + m) * r <= sketch.room
    ]
    n, r, m = source.choice(sizes)
    u, v = sketch.parameter(n, r), sketch.parameter(m, r)
    sketch.maps.append(u @ v.T)
    if sketch.room >= r and source.random() < 0.4:
        bias = sketch.parameter(r)
        sketch.maps.append(v @ bias)
        sketch.balance((u, 1, 0), (bias, 1, -1), (v, -1, 0))
    else:
        sketch.balance((u, 1, 0), (v, -1, 0))
        sketch.layers.append((u, v))


CHAINS = [(1, 1, 1, 1), (1, 2, 1, 1), (2, 1, 1, 2), (1, 2, 2, 1), (1, 1, 1, 1, 1)]
NEURONS = [(1, 1, 1), (2, 1, 1), (1, 2, 1), (2, 2, 1), (1, 2, 2), (2, 2, 2)]


def deep_product(sketch: Sketch) -> None:
    """A chain of matrices with small widths."""
    chains = [w for w in CHAINS if sum(a * b for a, b in pairwise(w)) <= sketch.room]
    widths = sketch.source.choice(chains)
    layers = [sketch.parameter(a, b) for a, b in pairwise(widths)]
    result = layers[0]
    for layer in layers[1:]:
        result = result @ layer
    sketch.maps.append(result)
    for left, right in pairwise(layers):
        sketch.balance((left, 1, 0), (right, -1, 1))


def neurons(sketch: Sketch) -> None:
    """The paths of a two-layer ReLU network, perhaps with biases."""
    source = sketch.source
    n, r, m = source.choice([s for s in NEURONS if (s[0] + s[2]) * s[1] <= sketch.room])
    inner, outer = sketch.parameter(r, n), sketch.parameter(m, r)
    sketch.maps.append(einsum("ji,kj->kji", inner, outer))
    if sketch.room >= r and source.random() < 0.5:
        bias = sketch.parameter(r)
        sketch.maps.append(bias * outer)
        sketch.balance((inner, 1, 1), (bias, 1, -1), (outer, -1, 0))
    else:
        sketch.balance((inner, 1, 1), (outer, -1, 0))


def vectors(sketch: Sketch) -> None:
    """Entrywise, inner and outer products of two vectors."""
    size = sketch.source.randint(1, min(3, sketch.room // 2))
    u, v = sketch.parameter(size), sketch.parameter(size)
    kind = sketch.source.randrange(4)
    choices = [
        u * v,
        product(u, v, "dot"),
        product(u, v, "outer"),
        u**2 - sketch.coefficient() * v**2,
    ]
    sketch.maps.append(choices[kind])
    if kind < 2:
        sketch.balance((u, 1, -1), (v, -1, -1))
    elif kind == 2:
        sketch.balance((u, 1, None), (v, -1, None))


def quotients(sketch: Sketch) -> None:
    """Denominators 1 + …"""
    kind = sketch.source.randrange(4)
    if kind == 0:
        x, y = sketch.parameter(), sketch.parameter()
        sketch.maps.append(x * y / (number(1) + x**2))
    elif kind == 1:
        u = sketch.parameter(min(3, sketch.room))
        sketch.maps.append(number(1) / (sketch.coefficient() + total(u**2)))
    elif kind == 2:
        u, x = sketch.parameter(2), sketch.parameter()
        sketch.maps.append(x * u / (number(1) + x))
    else:
        u, v = sketch.parameter(2), sketch.parameter(2)
        sketch.maps.append(total(u) / (number(1) + total(v**2)))


def sharing(sketch: Sketch) -> None:
    """A weight used twice, a gain before a layer, a list of scalars."""
    kind = sketch.source.randrange(3)
    columns = 1 if sketch.order == 2 else 2
    if kind == 0:
        u = sketch.parameter(2, columns)
        sketch.maps.append(u @ u.T)
    elif kind == 1:
        g, w = sketch.parameter(2), sketch.parameter(2, columns)
        sketch.maps.append(g * w.T)
        sketch.balance((w, 1, 1), (g, -1, -1))
    else:
        x, y = sketch.parameter(), sketch.parameter()
        sketch.maps.append(listed([x * y, (x - y) ** 2, sketch.coefficient() * y]))


BUILDERS = (
    scalar_polynomials,
    linear_forms,
    monomials,
    matrix_product,
    deep_product,
    neurons,
    vectors,
    quotients,
    sharing,
)
SMALL_BUILDERS = (scalar_polynomials, linear_forms, monomials, vectors)
