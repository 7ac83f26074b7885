"""Counts of whole flows, and the facts on their algebras."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.deadline import Deadline
from geoflow.lie import closure
from geoflow.lie.bracket import Generator
from geoflow.lie.closure import TooManyCoordinates, close


def arrays(**shapes):
    return {n: jax.ShapeDtypeStruct(s, np.float32) for n, s in shapes.items()}


def linear(n: int, r: int, m: int, **options):
    return gf.Flow(lambda p: p["U"] @ p["V"].T, arrays(U=(n, r), V=(m, r)), **options)


@pytest.mark.parametrize(("n", "r", "m"), [(1, 1, 1), (2, 2, 2), (1, 3, 1), (2, 1, 3), (1, 4, 2)])
def test_two_layers_by_the_formula(n: int, r: int, m: int):
    s = n + m
    expected = r * (r + 1) // 2 if r <= s else s * r - s * (s - 1) // 2
    assert gf.count_laws(linear(n, r, m)).upper == expected


@pytest.mark.parametrize(("n", "r", "m"), [(1, 2, 1), (2, 2, 1), (1, 3, 1)])
def test_momentum_by_the_formula(n: int, r: int, m: int):
    s = n + m
    expected = r * (r - 1) // 2 if r <= 2 * s else 2 * s * r - s * (2 * s + 1)
    if n == m == 1 and r >= 2:
        expected = 4 * r - 6
    for damping in (0, Fraction(1, 2), lambda t: 3 / t):
        assert gf.count_laws(linear(n, r, m, order=2, damping=damping)).upper == expected


def test_a_generator_whose_brackets_stay_special():
    """∂x and x⁵ ∂y span the plane although they nearly do not at x = 0."""
    flow = gf.Flow(lambda p: p["x"] + p["x"] ** 6 * p["y"], arrays(x=(), y=()))
    assert gf.count_laws(flow).upper == 1
    two = gf.Flow(lambda p: [p["x"], p["x"] ** 5 * p["y"]], arrays(x=(), y=()))
    assert gf.count_laws(two).upper == 0


def test_depth_is_that_of_the_last_new_rank():
    """Four gradients, and one direction more by brackets."""
    flow = linear(2, 2, 2)
    certificate = close(Generator.of(flow), 0, Deadline()).certificate
    assert certificate.ranks == (4, 5)
    assert certificate.dimension == 8
    assert certificate.complete


def test_runs_agree_over_different_primes():
    certificate = close(Generator.of(linear(2, 2, 2)), 3, Deadline()).certificate
    assert len({run.prime for run in certificate.runs}) == len(certificate.runs) >= 2
    bound = certificate.error_bound
    assert bound is not None and 0 < bound < 1e-9


def test_a_count_is_the_same_for_every_seed():
    flow = linear(1, 2, 2)
    certificates = [close(Generator.of(flow), seed, Deadline()).certificate for seed in range(4)]
    assert len({c.ranks for c in certificates}) == 1
    assert len({c.runs[0].prime for c in certificates}) > 1


def test_a_large_state_is_counted_by_the_formula_over_small_primes():
    n, r, m = 4, 130, 4
    certificate = close(Generator.of(linear(n, r, m)), 0, Deadline()).certificate
    s = n + m
    assert certificate.dimension - certificate.rank == s * r - s * (s - 1) // 2
    assert certificate.complete
    assert all(run.prime < 2**22 for run in certificate.runs)
    # 16 words of one letter, 12 brackets of two and the one of three that stays: of degrees 2, 3 and 4
    first, second = (Fraction(16 * 2 + 12 * 3 + 4, run.prime - 1) for run in certificate.runs)
    assert certificate.ranks == (16, 28)
    assert certificate.error_bound == float(first * second)


def test_a_small_state_has_large_primes():
    certificate = close(Generator.of(linear(2, 2, 2)), 0, Deadline()).certificate
    assert all(run.prime > 2**25 for run in certificate.runs)


def test_more_random_rows_than_one_batch(monkeypatch: pytest.MonkeyPatch):
    """The rank goes on past a batch that gains all it can, and stops after one that does not."""
    flow = linear(3, 4, 3)
    expected = close(Generator.of(flow), 0, Deadline()).certificate
    monkeypatch.setattr(closure.elimination, "BATCH", 2)
    found = close(Generator.of(flow), 0, Deadline()).certificate
    assert found.ranks == expected.ranks
    assert found.complete


def test_a_state_too_large_for_memory_is_refused_with_what_it_needs():
    with pytest.raises(gf.DiagnosticError) as caught:
        gf.count_laws(gf.Flow(jnp.sin, jax.ShapeDtypeStruct((60_000,), np.float32)))
    (diagnostic,) = caught.value.diagnostics
    assert "60,000 coordinates" in diagnostic.message
    assert "15.5 GiB" in diagnostic.message
    assert "at most 8 GiB" in diagnostic.message
    assert any("memory=15.5" in hint for hint in diagnostic.hints)
    generator = Generator.of(linear(2, 2, 2))
    needed = closure.elimination.memory(8)
    assert close(generator, 0, Deadline(), memory=needed).certificate.rank == 5
    with pytest.raises(TooManyCoordinates):
        close(generator, 0, Deadline(), memory=needed - 1)


def test_out_of_time_the_count_is_bounded_from_above():
    result = gf.count_laws(linear(3, 3, 3), timeout=0.0)
    assert result.status == "bounded"
    assert result.lower == 0
    assert result.upper >= 6


@pytest.mark.parametrize("order", [1, 2])
def test_the_rank_does_not_depend_on_linear_coordinates(order: Literal[1, 2]):
    """θ → Aθ and φ → Bφ with A orthogonal over Q (A also keeps the metric), B invertible."""
    a = np.array([[3, 4, 0], [-4, 3, 0], [0, 0, 5]])  # five times a rotation
    b = np.array([[2, 1], [7, 4]])

    def phi(x):
        return jnp.stack([x[0] * x[1] + x[2] ** 2, x[0] * x[2]])

    def moved(x):
        return b.astype(float) @ phi(a.astype(float) @ x)

    example = jax.ShapeDtypeStruct((3,), np.float32)
    plain = close(Generator.of(gf.Flow(phi, example, order=order)), 0, Deadline()).certificate
    other = close(Generator.of(gf.Flow(moved, example, order=order)), 1, Deadline()).certificate
    assert plain.ranks == other.ranks


def test_the_rank_of_first_brackets_needs_no_metric_to_be_kept():
    """dim span of the gradients is that of the Jacobian, in any coordinates."""
    a = np.array([[1, 2, 0], [0, 1, 3], [1, 0, 1]])

    def phi(x):
        return jnp.stack([x[0] * x[1], x[1] ** 2 + x[2]])

    example = jax.ShapeDtypeStruct((3,), np.float32)
    for f in (phi, lambda x: phi(a.astype(float) @ x)):
        assert gf.analyze(gf.Flow(f, example), degree=1).facts["kernel"] == 1


def test_parameters_may_be_renamed_and_permuted():
    def phi(p):
        return p["U"] @ p["V"].T

    def renamed(p):
        return (p["a"] @ p["b"].T).T

    counts = {
        gf.count_laws(gf.Flow(phi, arrays(U=(2, 2), V=(1, 2)))).upper,
        gf.count_laws(gf.Flow(renamed, arrays(a=(1, 2), b=(2, 2)))).upper,
        gf.count_laws(
            gf.Flow(lambda p: p[0] @ p[1].T, list(arrays(U=(2, 2), V=(1, 2)).values()))
        ).upper,
        gf.count_laws(gf.Flow(lambda p: p["U"][::-1] @ p["V"].T, arrays(U=(2, 2), V=(1, 2)))).upper,
    }
    assert counts == {3}


FACTS = {
    "squares": (
        lambda x: x**2,
        (3,),
        {"involutive": True, "commuting": True, "depth": 0, "kernel": 0},
    ),
    "linear": (
        lambda x: x[:2] * x[2],
        (3,),
        {"involutive": True, "commuting": False, "depth": 0, "kernel": 1},
    ),
    "bent": (
        lambda x: jnp.stack([x[0], x[0] * x[1] + x[2]]),
        (3,),
        {"involutive": False, "commuting": False, "depth": 1, "kernel": 1},
    ),
    "scalar": (jnp.prod, (4,), {"involutive": True, "commuting": True, "depth": 0, "kernel": 3}),
}


@pytest.mark.parametrize("name", FACTS)
def test_facts(name: str):
    phi, shape, expected = FACTS[name]
    result = gf.analyze(gf.Flow(phi, jax.ShapeDtypeStruct(shape, np.float32)))
    assert result.facts == expected
    assert result.facts_status["commuting"] == "proved"
    if result.count.status == "proved":
        assert result.facts_status["involutive"] == "proved"


def test_full_rank_proves_that_there_is_no_law():
    result = gf.count_laws(gf.Flow(lambda x: x, jax.ShapeDtypeStruct((3,), np.float32)))
    assert (result.lower, result.upper, result.status) == (0, 0, "proved")
    assert result.error_bound is None
