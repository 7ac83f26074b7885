"""Witnesses: the printed value is the derivative, computed again by SymPy from the printed point."""

from __future__ import annotations

import re

import pytest
import sympy as sp

from .checking import check

X, Y, Z, T, A = sp.symbols("x y z t a")
VX, VY = sp.symbols("vx vy")

# name: (text, right-hand side by symbol, law)
CASES = {
    "product": (
        "param x, y, z\nmap phi = x*y*z\nlaw h = x**3 - y*z",
        {X: A * Y * Z, Y: A * X * Z, Z: A * X * Y},
        X**3 - Y * Z,
    ),
    "entropy": (
        "param x > 0, y > 0\nmap phi = x*y\nmetric mirror(entropy)\nlaw h = x**2 - y",
        {X: A * X * Y, Y: A * X * Y},
        X**2 - Y,
    ),
    "quotient": (
        "param x, y\nmap phi = x/(y**2 + 1)\nlaw h = x*y + x",
        {X: A / (Y**2 + 1), Y: -2 * A * X * Y / (Y**2 + 1) ** 2},
        X * Y + X,
    ),
    "momentum": (
        "param x, y\nmap phi = x*y\nflow order 2 damping 1/3\nlaw h = x*y' - y*x' + t",
        {T: 1, X: VX, Y: VY, VX: A * Y - VX / 3, VY: A * X - VY / 3},
        X * VY - Y * VX + T,
    ),
}
NAMES = {"x": X, "y": Y, "z": Z, "t": T, "a": A, "x'": VX, "y'": VY}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_witness_can_be_checked_by_hand(name: str, seed: int):
    text, motion, law = CASES[name]
    (claim,) = check(text, seed).claims
    assert claim.verdict == "refuted"
    where, force, value = claim.witness
    point = {
        NAMES[n]: sp.Rational(v)
        for n, v in re.findall(r"([a-z]'?) = (-?[\d/]+)", f"{where}, {force}")
    }
    assert set(point) >= set(motion)
    derivative = sp.Add(*(sp.diff(law, v) * rate for v, rate in motion.items())).subs(point)
    stated = re.fullmatch(r"d/dt h = (-?[\d/]+), not 0", value)
    assert stated is not None
    assert sp.Rational(stated[1]) == derivative != 0


def test_the_entry_that_moves_is_named():
    (claim,) = check("param u[3], v[3]\nmap phi = u[:2]*v[:2]\nlaw h = u**2 - 2*v**2").claims
    assert re.match(r"d/dt h\[[01]\] = -?\d", claim.witness[-1])
