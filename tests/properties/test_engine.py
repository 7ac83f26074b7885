"""Properties of whole runs on random models."""

from __future__ import annotations

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import geoflow as gf
from geoflow.exact.primefield import PrimeField
from geoflow.lie.bracket import Generator, Letter
from geoflow.options import CheckOptions
from geoflow.pipeline import check_text
from geoflow.results import ModelReport

PRIME = 67108859
SIZE = 3
few = settings(max_examples=6, deadline=None, derandomize=True)
fewer = settings(max_examples=4, deadline=None, derandomize=True)

# a polynomial map R³ → R²: monomials with coefficients
MONOMIAL = st.tuples(st.integers(-3, 3).filter(bool), st.tuples(*[st.integers(0, 2)] * SIZE))
COMPONENT = st.lists(MONOMIAL, min_size=1, max_size=3)
MAP = st.tuples(COMPONENT, COMPONENT)


def function(components):
    def phi(x):
        return jnp.stack(
            [
                sum(
                    (
                        c * jnp.prod(jnp.stack([x[i] ** n for i, n in enumerate(e)]))
                        for c, e in part
                    ),
                    0.0 * x[0],
                )
                for part in components
            ]
        )

    return phi


def flow_of(phi, **options) -> gf.Flow:
    return gf.Flow(phi, jax.ShapeDtypeStruct((SIZE,), np.float32), **options)


def text_of(components, names=("x", "y", "z")) -> str:
    """The same map in the language."""
    parts = []
    for part in components:
        terms = [
            "*".join([f"({c})", *(f"{n}**{k}" for n, k in zip(names, e, strict=True) if k)])
            for c, e in part
        ]
        parts.append(" + ".join(terms))
    return (
        f"param {', '.join(names)}\nmap phi = [{', '.join(f'{p} + 0*{names[0]}' for p in parts)}]\n"
    )


def report_of(text: str, seed: int = 0) -> ModelReport | None:
    """The report, or nothing where a random map is a constant."""
    report = check_text(text, "<random>", CheckOptions(verify=False, seed=seed))
    errors = {d.code for d in report.diagnostics if d.severity == "error"}
    assert errors <= {"GEO0408"}, report.diagnostics
    return None if errors else report.models[0]


@few
@given(MAP, st.integers(0, 10**6))
def test_brackets_are_a_lie_algebra(components, seed: int):
    generator, ring = Generator.of(flow_of(function(components))), PrimeField(PRIME)
    rng = np.random.default_rng(seed)
    place = {"theta": rng.integers(1, PRIME, (1, 1, SIZE))}
    letters = [
        Letter(np.ones((1, 1), dtype=np.int64), (rng.integers(0, PRIME, (1, 1, 2)),))
        for _ in range(3)
    ]

    def bracket(*word: int) -> np.ndarray:
        return generator.rows(generator.word(ring, {}, place, [letters[k] for k in word]), 1)

    assert not np.any((bracket(0, 1) + bracket(1, 0)) % PRIME)
    assert not np.any((bracket(0, 1, 2) + bracket(1, 2, 0) + bracket(2, 0, 1)) % PRIME)
    scaled = Letter(letters[0].weight, (letters[0].controls[0] * 5 % PRIME,))
    first = generator.rows(generator.word(ring, {}, place, [scaled, letters[1]]), 1)
    assert np.array_equal(first, bracket(0, 1) * 5 % PRIME)


@few
@given(MAP, st.permutations(range(SIZE)), st.tuples(*[st.integers(-3, 3)] * 4))
def test_counts_do_not_depend_on_coordinates(components, order, mixing):
    """Permuted parameters with signs (an isometry), outputs mixed by an invertible matrix."""
    phi = function(components)
    mixed = np.array(mixing, float).reshape(2, 2)
    if abs(np.linalg.det(mixed)) < 0.5:
        mixed = np.eye(2)
    signs = np.array([1.0, -1.0, 1.0])
    other = flow_of(lambda x: mixed @ phi(signs * x[np.array(order)]))
    for options in ({}, {"seed": 7}):
        assert gf.count_laws(flow_of(phi)).upper == gf.count_laws(other, **options).upper


@few
@given(MAP, st.permutations(["x", "y", "z"]), st.permutations(["p", "q", "r"]))
def test_counts_do_not_depend_on_names(components, order, names):
    first, second = report_of(text_of(components)), report_of(text_of(components, names))
    assert (first is None) == (second is None)
    if first is not None and second is not None:
        assert first.laws.upper == second.laws.upper
        assert first.laws.status == second.laws.status
    declared = text_of(components).replace("param x, y, z", f"param {', '.join(order)}")
    third = report_of(declared)
    if first is not None:
        assert third is not None
        assert third.laws.upper == first.laws.upper


@few
@given(MAP, st.integers(1, 99))
def test_other_seeds_say_the_same(components, seed: int):
    first, second = report_of(text_of(components)), report_of(text_of(components), seed)
    if first is not None and second is not None:
        assert [law.text for law in first.found] == [law.text for law in second.found]
        assert first.laws.upper == second.laws.upper
        assert first.facts == second.facts


@few
@given(MAP)
def test_the_laws_found_are_proved_again_as_claims(components):
    text = text_of(components)
    report = report_of(text)
    if report is not None and report.found:
        claims = "".join(f"law claimed{k} = {law.text}\n" for k, law in enumerate(report.found))
        again = report_of(text + claims)
        assert again is not None
        assert {c.verdict for c in again.claims} == {law.status for law in report.found}
        assert report.laws.lower <= report.laws.upper


@fewer
@given(MAP, st.sampled_from([1, 2]))
def test_laws_are_constant_along_trajectories(components, order: int):
    phi = function(components)
    flow = flow_of(phi, order=order, **({"damping": Fraction(1, 3)} if order == 2 else {}))
    laws = gf.find_laws(flow, degree=3)
    if not laws:
        return
    with jax.enable_x64(True):
        values = [np.asarray(_along(flow, law, order)) for law in laws]
    for value in values:
        scale = np.max(np.abs(value)) + 1e-3
        assert np.all(np.isfinite(value))
        assert np.max(np.abs(value - value[0])) <= 1e-6 * scale


def _along(flow: gf.Flow, law: gf.Law, order: int) -> jax.Array:
    """Values of a law along a short Runge–Kutta trajectory of a loss that is no multiple of φ."""
    point = {"theta": jnp.array([0.5, 0.3, -0.4])}
    if order == 2:
        point |= {"theta'": jnp.array([0.2, -0.1, 0.3]), "t": jnp.array(0.7)}
    constants = {n: jnp.asarray(v) for n, v in flow.constant_values().items()}

    def motion(z):
        (output,) = flow.output(constants, z)
        cotangent = (jnp.array([0.3, -0.2]) - 0.1 * jnp.tanh(output),)
        controlled = flow.controls(constants, z, cotangent)
        return jax.tree.map(jnp.add, controlled, flow.drift(constants, z))

    def step(z, _):
        h = 1e-3
        shifted = lambda k, s: jax.tree.map(lambda a, b: a + s * b, z, k)  # noqa: E731
        k1 = motion(z)
        k2 = motion(shifted(k1, h / 2))
        k3 = motion(shifted(k2, h / 2))
        k4 = motion(shifted(k3, h))
        moved = jax.tree.map(
            lambda a, p, q, r, s: a + h / 6 * (p + 2 * q + 2 * r + s), z, k1, k2, k3, k4
        )
        return moved, law.at(moved)

    return jax.lax.scan(step, point, None, 100)[1]


@few
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_two_layers_for_all_sizes(n: int, r: int, m: int):
    expected = r * (r + 1) // 2 if r <= n + m else (n + m) * r - (n + m) * (n + m - 1) // 2
    report = report_of(
        f"param U[{n}, {r}], V[{m}, {r}]\nmap phi = U @ V.T\nexpect laws = {expected}"
    )
    assert report is not None
    assert [c.verdict for c in report.claims] == ["proved"]
