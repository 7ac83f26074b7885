"""`python -m benchmarks.polynomials`: polynomial laws by the number D of parameters, and how the time grows.

Degree 2 as matrix forms, degree 2 where no matrix form is at hand, and degree 4. Times are those of the processor, for
a whole check without trajectories; the search alone stands beside it, with and without classes where that is possible.
Run it from the repository's root.
"""

from __future__ import annotations

import argparse
import math
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from geoflow.laws.classes import classes_of, number_of_monomials, orbits_of
from geoflow.laws.grading import trivial
from geoflow.laws.polynomiallaws import FieldSymmetries, Search
from geoflow.lie.bracket import Generator
from geoflow.lie.point import draw_point
from geoflow.lower import lower
from geoflow.options import CheckOptions
from geoflow.pipeline import check_text
from geoflow.semantics import load_text

FACTORS = {
    100: (5, 10),
    200: (10, 10),
    500: (10, 25),
    1000: (20, 25),
}  # r and n of n × r with D = 2nr
QUARTIC = (20, 40, 60)
SMALL = 8  # D for which all monomials of degree 4 are one nullspace


def matrices(dimension: int) -> tuple[str, int]:
    """φ = UVᵀ, and its number of laws."""
    r, n = FACTORS[dimension]
    text = f"param U[{n}, {r}], V[{n}, {r}]\nmap phi = U @ V.T\n"
    return text, r * (r + 1) // 2


def flat(dimension: int) -> tuple[str, int]:
    """The same with all parameters in one vector: no matrix form has these laws."""
    r, n = FACTORS[dimension]
    halves = [f"reshape(w[{a}], [{n}, {r}])" for a in (f":{n * r}", f"{n * r}:")]
    text = f"param w[{dimension}]\nmap phi = {halves[0]} @ {halves[1]}.T\n"
    return text, r * (r + 1) // 2


def harmonic(dimension: int) -> tuple[str, int]:
    """φⱼ = Re zⱼ⁴ conserves Im zⱼ⁴, and no polynomial of lower degree."""
    n = dimension // 2
    return f"param x[{n}], y[{n}]\nmap phi = x**4 - 6*x**2*y**2 + y**4\n", n


def cubics(dimension: int, together: bool = False) -> tuple[str, int]:
    """Binary cubics, each moved by linear changes of its variables: the discriminants stay, of degree 4. `together`:
    all by the same changes, so that there are joint invariants of degrees 2 and 4."""
    n = dimension // 4
    size = "" if together else f"[{n}]"
    text = f"""param a[{n}], b[{n}], c[{n}], d[{n}]
control e{size}
control f{size}
control h{size}
field a' = 3*h*a + e*b
field b' = h*b + 3*f*a + 2*e*c
field c' = 2*f*b + 3*e*d - h*c
field d' = f*c - 3*h*d
"""
    return text, dimension - 3 if together else n


def joint_cubics(dimension: int) -> tuple[str, int]:
    """Binary cubics under the same changes of variables."""
    return cubics(dimension, together=True)


@dataclass(frozen=True)
class Checked:
    """One check: laws proved, and seconds of the processor."""

    dimension: int
    laws: int
    wanted: int
    status: str
    printed: int
    seconds: float


@dataclass(frozen=True)
class Searched:
    """One search for all polynomials of one degree: how they fall apart, and seconds."""

    monomials: int
    classes: int
    orbits: int
    largest: int
    seconds: float


def checked(model: Callable[[int], tuple[str, int]], dimension: int) -> Checked:
    """A whole check, without trajectories."""
    text, wanted = model(dimension)
    begin = time.process_time()
    (report,) = check_text(text, "polynomials", CheckOptions(verify=False)).models
    seconds = time.process_time() - begin
    laws = report.laws
    return Checked(dimension, laws.lower, wanted, laws.status, len(report.found), seconds)


def searched(text: str, degree: int, reduced: bool = True) -> Searched:
    """The candidates in all classes of one degree, or in one nullspace; orbits are not written out."""
    (model,), _ = load_text(text, "polynomials")
    generator = Generator.of(lower(model, 0))
    place = draw_point(generator, np.random.default_rng(0))
    begin = time.process_time()
    symmetries = FieldSymmetries.of(generator, place, None, 0)
    if symmetries is None:
        raise ValueError("the field is no polynomial")
    if not reduced:
        dimension = generator.flow.dimension
        symmetries = FieldSymmetries(
            generator, symmetries.field, None, trivial(dimension), (), symmetries.seed
        )
    search = Search(symmetries, degree)
    for _ in search.orbits():
        pass
    seconds = time.process_time() - begin
    field = symmetries.field
    classes = classes_of(symmetries.grading, field.moving, field.weight, degree)
    orbits = orbits_of(classes, symmetries.grading, symmetries.orders)
    return Searched(
        number_of_monomials(len(field.moving), degree),
        len(classes),
        len(orbits.first),
        int(classes.sizes.max()),
        seconds,
    )


def exponent(rows: Sequence[Checked]) -> float:
    """The slope of log seconds by log D, by least squares."""
    x = np.log([r.dimension for r in rows])
    y = np.log([max(r.seconds, 1e-3) for r in rows])
    return float(np.polyfit(x, y, 1)[0]) if len(rows) > 1 else math.nan


def _section(
    title: str, model: Callable[[int], tuple[str, int]], sizes: Sequence[int], degree: int
) -> bool:
    rows = [checked(model, d) for d in sizes]
    print(f"### {title}\n")
    print("| D | monomials | classes | orbits | largest | search, s | laws | formulas | check, s |")
    print("|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for row in rows:
        s = searched(model(row.dimension)[0], degree)
        print(
            f"| {row.dimension} | {s.monomials:,} | {s.classes:,} | {s.orbits:,} | {s.largest:,} |"
            f" {s.seconds:.2f} | {row.laws} {row.status} | {row.printed} | {row.seconds:.2f} |"
        )
    print(f"\nThe check grows as D^{exponent(rows):.1f}.\n")
    return all(r.laws == r.wanted and r.status == "proved" for r in rows)


def main() -> int:
    """Print the tables; the exit status is 1 if a law is missing or unproved."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--most", type=int, default=1000, help="the largest D")
    most = parser.parse_args().most
    checked(matrices, 100)  # what is imported at first use
    two = [d for d in FACTORS if d <= most]
    four = [d for d in QUARTIC if d <= most]
    right = [
        _section("Degree 2, matrix forms: UVᵀ", matrices, two, 2),
        _section("Degree 2, no matrix form: UVᵀ in one vector", flat, two, 2),
        _section("Degree 4: φⱼ = Re zⱼ⁴", harmonic, four, 4),
        _section("Degree 4: discriminants of binary cubics", cubics, four, 4),
        _section("Degree 4: joint invariants of binary cubics", joint_cubics, four, 4),
    ]
    print("### All candidates of degree 4 of UVᵀ, r = 2, where degree 2 has every law\n")
    print("| D | monomials | classes | orbits | largest | search, s |\n|--:|--:|--:|--:|--:|--:|")
    for d in four:
        text = f"param U[{d // 4}, 2], V[{d // 4}, 2]\nmap phi = U @ V.T\n"
        row = searched(text, 4)
        print(
            f"| {d} | {row.monomials:,} | {row.classes:,} | {row.orbits:,} | {row.largest:,} |"
            f" {row.seconds:.2f} |"
        )
    print()
    print(f"### With and without classes, all polynomials of degree 4 at D = {SMALL}\n")
    print("| model | one nullspace of | s | largest class | s |\n|---|--:|--:|--:|--:|")
    for name, model in (("φⱼ = Re zⱼ⁴", harmonic), ("binary cubics", cubics)):
        text = model(SMALL)[0]
        whole, few = searched(text, 4, reduced=False), searched(text, 4)
        print(
            f"| {name} | {whole.monomials:,} | {whole.seconds:.2f} | {few.largest} | {few.seconds:.2f} |"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\nPeak memory of all of it: {peak:.1f} GiB.")
    return 0 if all(right) else 1


if __name__ == "__main__":
    raise SystemExit(main())
