"""The degree bound is never below the degree, on rational functions of many forms."""

from __future__ import annotations

import flint
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

import geoflow as gf
from geoflow.exact.degree import FieldDegree, field_degree
from geoflow.exact.interpreter import run
from geoflow.exact.polynomials import Polynomials
from geoflow.exact.program import Program
from geoflow.exact.quotient import Quotient
from geoflow.lie.bracket import Generator
from geoflow.primitives import adjugate

from .evaluation import program_of

CASES = {
    "sum": (lambda x: jnp.sum(x, 0), (2, 3)),
    "product": (lambda x: jnp.prod(x, 1), (2, 3)),
    "quotients": (lambda x: x[0] / x[1] + x[1] / x[2], (3, 2)),
    "scalar quotient": (lambda x: x / jnp.sum(x * x), (4,)),
    "powers": (lambda x: [x**4, x**-3], (3,)),
    "whole pow": (lambda x: [lax.pow(x, 4.0), lax.pow(x, -3.0)], (2,)),
    "cumulative": (lambda x: [jnp.cumprod(x), jnp.cumsum(1 / x)], (3,)),
    "matrix": (lambda x: x @ x @ x.T, (2, 2)),
    "determinant": (lambda x: [gf.det(x), adjugate(x)[0, 0]], (3, 3)),
    "inverse": (lambda x: gf.inv(x), (2, 2)),
    "inverses": (lambda x: jnp.sum(gf.inv(x), 0), (3, 2, 2)),
    "iterated": (lambda x: 1 / (x[0] + 1 / (x[1] + 1 / x[2])), (3,)),
    "moved": (lambda x: jnp.concatenate([x[::-1] / x, jnp.stack([x[0] ** 2, x[1]])]), (3,)),
    "gathered": (lambda x: (1 / x)[np.array([0, 0, 2])] * x[np.array([1, 2, 2])], (3,)),
    "scattered": (lambda x: x.at[np.array([0, 0])].add(1 / x[1:]), (3,)),
    "select": (lambda x: jnp.where(np.array([True, False]), x / x[::-1], x**3), (2,)),
    "pad": (lambda x: lax.pad(x / x[::-1], 0.0, [(1, 1, 0)]), (2,)),
}


def degrees(program: Program) -> tuple[int, int]:
    """Degrees of the numerators over the least common denominator, and of that denominator."""
    ring, variables = Polynomials.in_shapes(program.input_shapes)
    one = ring.context.constant(1)
    values = [x for v in run(program, ring, variables) for x in v.flat]
    pairs = [(x.numerator, x.denominator) if isinstance(x, Quotient) else (x, one) for x in values]
    common = one
    for _, d in pairs:
        common = common * (d / common.gcd(d))
    return max(_degree(n * (common / d)) for n, d in pairs), _degree(common)


def _degree(p: flint.fmpq_mpoly) -> int:
    return int(p.total_degree()) if p else 0


@pytest.mark.parametrize("name", CASES)
def test_the_bound_is_no_less_than_the_degree(name: str):
    function, shape = CASES[name]
    program = program_of(function, shape)
    numerator, denominator = degrees(program)
    bound = field_degree(program, [1])
    assert bound.numerator >= numerator
    assert bound.denominator >= denominator


STEPS = {
    "add": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / (b + 1),
    "square": lambda a, b: a * a - b,
    "reciprocal": lambda a, b: 1 / (2 + a),
    "cube": lambda a, b: b**3,
}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=4), st.booleans())
def test_the_bound_on_random_rational_functions(steps: list[str], swap: bool):
    def function(a, b):
        for step in steps:
            a, b = STEPS[step](a, b), a
        return (b, a) if swap else a

    program = program_of(function, (), ())
    numerator, denominator = degrees(program)
    bound = field_degree(program, [1, 1])
    assert bound.numerator >= numerator
    assert bound.denominator >= denominator


COMMON = {"product", "scalar quotient", "moved", "gathered", "select"}


@pytest.mark.parametrize("name", CASES)
def test_the_bound_is_attained_unless_entries_share_factors(name: str):
    function, shape = CASES[name]
    program = program_of(function, shape)
    bound = field_degree(program, [1])
    sharp = (bound.numerator, bound.denominator) == degrees(program)
    assert sharp == (name not in COMMON)


RULES = {  # numerator, denominator, square roots
    "all entries are taken for factors": (CASES["product"], (6, 0, 0)),
    "each quotient has its denominator": (CASES["scalar quotient"], (7, 8, 0)),
    "of either choice": (CASES["select"], (5, 2, 0)),
    "moved": (CASES["moved"], (5, 3, 0)),
    "gathered": (CASES["gathered"], (3, 3, 0)),
    "root": ((lambda x: jnp.sqrt(x[0] * x[1]) + x[2], (3,)), (2, 0, 1)),
    "roots": ((lambda x: jnp.sqrt(x * x), (2, 3)), (2, 0, 6)),
    "one over roots": ((lambda x: lax.rsqrt(x * x), (3,)), (4, 6, 3)),
    "root of a quotient": ((lambda x: jnp.sqrt(x[0] / x[1]), (2,)), (1, 1, 1)),
    "half an odd power": ((lambda x: lax.pow(x * x, 1.5), (2,)), (4, 0, 2)),
    "negative half": ((lambda x: lax.pow(x, -0.5), (2,)), (1, 2, 2)),
    "negative half an odd power": ((lambda x: lax.pow(x * x, -1.5), (2,)), (4, 8, 2)),
    "numbers": ((lambda x: x * 0 + jnp.ones(2) * 3, (2,)), (1, 0, 0)),
    "number over number": ((lambda x: x * (jnp.ones(2) / 3), (2,)), (1, 0, 0)),
    "square": ((lambda x: jnp.square(x[:1]), (2,)), (2, 0, 0)),
    "adjugate": ((lambda x: adjugate(x), (3, 3)), (3, 0, 0)),
    "inverse of a larger degree": ((lambda x: gf.inv(x * x), (3, 2, 2)), (10, 12, 0)),
    "several roots": ((lambda x: jnp.sqrt(x[0]) + jnp.sqrt(x[1:]), (3,)), (1, 0, 3)),
    "half": ((lambda x: lax.pow(x * x, 0.5), (2,)), (2, 0, 2)),
    "two inverse roots": ((lambda x: lax.rsqrt(x[0]) + lax.rsqrt(x[1] ** 2), (2,)), (2, 3, 2)),
    "two half powers": (
        (lambda x: lax.pow(x[0], -0.5) + lax.pow(x[1] ** 2, -0.5), (2,)),
        (2, 3, 2),
    ),
    "two whole powers": ((lambda x: x[0] ** -2 + (x[1] ** 2) ** -2, (2,)), (4, 6, 0)),
    "two inverses": ((lambda x: gf.inv(x) + gf.inv(x * x), (2, 2)), (5, 6, 0)),
    "inverses of a batch": ((lambda x: gf.inv(x), (1, 2, 3, 3)), (5, 6, 0)),
    "inverses of numbers": ((lambda x: gf.inv(x), (2, 1, 1)), (1, 2, 0)),
    "counted": ((lambda x: x * lax.iota(np.float64, 2), (2,)), (1, 0, 0)),
    "numbers beside": ((lambda x: (x, jnp.ones(2)), (2,)), (1, 0, 0)),
    "a number": ((lambda x: np.ones(2), (2,)), (0, 0, 0)),
    "not rational": ((lambda x: jnp.exp(x) * x, (2,)), (2, 0, 0)),
    "quotient of quotients": ((lambda x: x[0] / x[1] / x[2], (3,)), (1, 2, 0)),
    "power of a quotient": ((lambda x: (x[0] / x[1]) ** 2 + x[0] / x[1], (2,)), (2, 2, 0)),
    "negative power of a quotient": ((lambda x: (x[0] / x[1]) ** -2, (2,)), (2, 2, 0)),
}


@pytest.mark.parametrize("name", RULES)
def test_the_rules_by_hand(name: str):
    (function, shape), expected = RULES[name]
    bound = field_degree(program_of(function, shape), [1])
    assert (bound.numerator, bound.denominator, bound.roots) == expected
    assert type(bound.numerator) is type(bound.denominator) is int


def test_gates_are_variables():
    """w · V · gate · x for the inner weights, and gates of entries that are no power of anything else."""
    flow = gf.Flow.of_network(
        lambda p, x: p["V"] @ jnp.maximum(p["W"] @ x, 0),
        {"V": np.zeros((1, 2)), "W": np.zeros((2, 3))},
        np.zeros(3),
    )
    program = Generator.of(flow).program
    assert program.gates
    assert field_degree(program, [1] * len(program.input_shapes)).numerator == 4


def test_powers_without_an_exact_rule_have_some_bound():
    for program in (
        program_of(lambda x, y: lax.pow(x, y), (2,), (2,)),
        program_of(lambda x, y: lax.pow(x, np.array([2.0, 3.0])) + y, (2,), (2,)),
    ):
        assert field_degree(program, [1, 1]).numerator > 0


def test_constants_have_degree_0():
    program = program_of(lambda x, c: x * c / (1 + c), (2,), (2,))
    bound = field_degree(program, [1, 0])
    assert (bound.numerator, bound.denominator) == (1, 0)


def test_words_have_the_degree_of_their_letters():
    assert [FieldDegree(2, 3, 0).of_word(k) for k in (1, 2, 3)] == [2, 6, 10]
    assert [FieldDegree(0, 0, 0).of_word(k) for k in (1, 2, 5)] == [0, 0, 0]
    assert [FieldDegree(3, 0, 2).of_word(k) for k in (1, 2)] == [12, 20]
    assert FieldDegree(9, 3, 2).of_denominators() == 12
    assert FieldDegree(1, 0, 40).of_word(1) == FieldDegree(1, 0, 99).of_word(1) == 2**40


def test_brackets_grow_by_numerator_and_denominator():
    program = program_of(lambda x: x * x[::-1], (2,))
    bound = field_degree(program, [1])
    assert (bound.numerator, bound.denominator) == (2, 0)
    assert [bound.of_word(k) for k in (1, 2, 3)] == [2, 3, 4]


def test_polynomial_bounds_are_sharp():
    assert field_degree(program_of(lambda x: x @ x, (2, 2)), [1]).numerator == 2
    assert field_degree(program_of(lambda x: x**5 + x, (2,)), [1]).numerator == 5
    assert field_degree(program_of(gf.det, (3, 3)), [1]).numerator == 3
