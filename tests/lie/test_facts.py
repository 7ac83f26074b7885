"""Facts on the algebra: what is true of small flows, and how well each is known."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.deadline import Deadline
from geoflow.lie import facts as module
from geoflow.lie.bracket import Generator
from geoflow.lie.closure import Closure, close
from geoflow.lie.facts import Facts, facts
from geoflow.lie.point import random_letter
from geoflow.results import AnchoredRows

from .flows import integers, product, with_constants, zeros

NEVER = Deadline()


def of(flow: gf.Flow, exact: bool = True, deadline: Deadline = NEVER, at: Any = None) -> Facts:
    generator = Generator.of(flow)
    place = None if at is None else integers(generator, **at)
    return facts(generator, close(generator, 0, deadline, at=place), exact, 0)


def known(found: Facts, name: str) -> tuple[Any, str]:
    return found.values[name], found.status[name]


def bent(p: Any) -> Any:
    return jnp.stack([p["x"], p["x"] * p["y"] + p["z"]])


BENT = gf.Flow(bent, zeros(x=(), y=(), z=()))
SQUARES = gf.Flow(lambda p: p["x"] ** 2, zeros(x=(3,)))
SCALAR = gf.Flow(lambda p: jnp.prod(p["x"]), zeros(x=(4,)))


def test_brackets_that_raise_the_rank_prove_what_they_show():
    """Three directions of three: the depth is that of the last new one, and no involution."""
    found = of(BENT)
    assert found.values == {"involutive": False, "commuting": False, "depth": 1, "kernel": 1}
    assert set(found.status.values()) == {"proved"}


def test_without_the_exact_rank_the_depth_is_open_and_the_first_rank_is_not():
    found = of(BENT, exact=False)
    assert known(found, "involutive") == (False, "proved")
    assert known(found, "depth") == (1, "probable")
    assert known(found, "kernel") == (1, "proved")


def test_stagnation_alone_is_probable_and_a_search_cut_short_is_no_evidence():
    flow = product(2, 2, 2)
    found = of(flow, exact=False)
    assert known(found, "depth") == (1, "probable")
    stopped = of(flow, exact=False, deadline=Deadline(0.0))
    assert stopped.values["depth"] == 0
    assert (stopped.status["depth"], stopped.status["involutive"]) == ("undecided", "undecided")


@pytest.mark.parametrize("exact", [True, False])
def test_a_depth_that_the_time_did_not_suffice_for_refutes_no_involution(exact: bool):
    """(x z, y z): closed without brackets. Out of time before the first bracket nothing speaks against it."""
    flow = gf.Flow(lambda p: p["x"][:2] * p["x"][2], zeros(x=(3,)))
    generator = Generator.of(flow)
    stopped = close(generator, 0, Deadline(0.0))
    assert (stopped.certificate.ranks, stopped.certificate.complete) == ((2,), False)
    found = facts(generator, stopped, exact, 0)
    assert found.values["involutive"] is True
    assert found.status["involutive"] == ("proved" if exact else "undecided")
    run = replace(stopped.certificate.runs[0], ranks=(2, 2))
    again = Closure(replace(stopped.certificate, runs=(run,)), stopped.point)
    assert facts(generator, again, exact, 0) == found
    late = gf.analyze(flow, timeout=0.0)
    assert late.facts["involutive"] is True
    assert late.facts["depth"] == 0


def test_an_exact_rank_at_depth_zero_proves_involution():
    flow = gf.Flow(lambda p: p["x"][:2] * p["x"][2], zeros(x=(3,)))
    for exact, status in ((True, "proved"), (False, "probable")):
        found = of(flow, exact)
        assert known(found, "involutive") == (True, status)
        assert known(found, "depth") == (0, status)


def test_a_first_rank_below_the_number_of_controls_is_probable():
    """φ has two equal outputs: that its gradients have rank 2 and not 3 is stagnation, so brackets prove nothing."""

    def phi(p):
        return jnp.stack([p["x"], p["x"], p["x"] * p["y"] + p["z"]])

    found = of(gf.Flow(phi, zeros(x=(), y=(), z=())))
    assert found.values == {"involutive": False, "commuting": False, "depth": 1, "kernel": 1}
    assert known(found, "involutive") == (False, "probable")
    assert known(found, "depth") == (1, "probable")
    assert known(found, "kernel") == (1, "probable")


def test_a_depth_beyond_one_is_probable():
    """x, xy + z and xz + w… : the rank in between is not known to be the generic one."""

    def phi(p):
        return jnp.stack([p["x"], p["x"] * p["y"] + p["z"], p["x"] * p["z"] + p["w"]])[:2]

    flow = gf.Flow(
        lambda p: [p["x"], p["x"] ** 2 * p["y"] + p["x"] * p["z"] + p["w"]],
        zeros(x=(), y=(), z=(), w=()),
    )
    found = of(flow)
    assert found.values["depth"] == 2
    assert found.status["depth"] == "probable"
    assert known(found, "involutive") == (False, "proved")


def test_an_exact_rank_that_brackets_reach_makes_no_involution():
    """ranks (1, 2) are those of no involutive family, though the last one is exact."""
    found = of(BENT, exact=True)
    assert found.values["involutive"] is False


# --- commuting


@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        (SCALAR, (True, "proved")),
        (SQUARES, (True, "proved")),
        (BENT, (False, "proved")),
        (gf.Flow(lambda p: p["x"] ** 2, zeros(x=()), order=2), (True, "proved")),
        (gf.Flow(lambda p: jnp.exp(p["x"]), zeros(x=(2,))), (False, "undecided")),
        (gf.Flow(lambda p: jnp.sqrt(p["x"]), zeros(x=(2,)), positive=["x"]), (True, "proved")),
        (gf.Flow(lambda p: p["x"] ** 2, zeros(x=(41,))), (True, "probable")),
        (gf.Flow(lambda p: p["x"] ** 2, zeros(x=(40,))), (True, "proved")),
        (gf.Flow(lambda p: jnp.sum(p["x"] ** 3), zeros(x=(41,))), (True, "proved")),
    ],
    ids=[
        *("scalar", "squares", "bent", "momentum", "estimated", "roots", "large", "not so large"),
        "large scalar",
    ],
)
def test_commuting(flow: gf.Flow, expected: tuple[bool, str]):
    assert known(of(flow), "commuting") == expected


def test_a_drift_is_not_one_of_the_controlled_fields():
    """φ = x with decay: ∂x and x∂x do not commute; all multiples of ∂x do."""
    decayed = of(gf.Flow(lambda p: p["x"], zeros(x=()), decay=1))
    assert known(decayed, "commuting") == (True, "proved")
    bent = gf.Flow(lambda p: [p["x"] ** 2, p["x"] ** 2 * p["y"]], zeros(x=(), y=()), decay=1)
    assert known(of(bent), "commuting") == (False, "proved")


def test_symbolic_constants_in_a_bracket_that_vanishes():
    def phi(c, p):
        return jnp.stack([c["c"] * p["x"] ** 2, c["half"] * p["y"] ** 2])

    flow = with_constants(phi, {"x": (), "y": ()}, {"c": None, "half": Fraction(1, 2)})
    assert known(of(flow), "commuting") == (True, "proved")


def test_one_vanishing_bracket_is_no_proof(monkeypatch: pytest.MonkeyPatch):
    """Where the random bracket is 0 by accident, the expansion shows that it is not identically."""
    generator = Generator.of(BENT)
    assert not module._bracket_expands_to_zero(generator)
    assert module._bracket_expands_to_zero(Generator.of(SQUARES))
    place = integers(generator, x=0, y=0, z=0)(np.random.default_rng(0))
    still = Generator.of(gf.Flow(lambda p: [p["x"] ** 3, p["x"] ** 3 * p["y"]], zeros(x=(), y=())))
    place = integers(still, x=0, y=0)(np.random.default_rng(0))
    found = module._commuting(still, place, np.random.default_rng(0))
    assert found == (True, "probable")


@pytest.mark.parametrize("error", ["TooLarge", "UnluckyPoint", "UnsupportedPrimitive"])
def test_an_expansion_that_fails_leaves_it_probable(error: str, monkeypatch: pytest.MonkeyPatch):
    def fails(generator):
        raise getattr(module, error)("x")

    monkeypatch.setattr(module, "_bracket_expands_to_zero", fails)
    assert known(of(SQUARES), "commuting") == (True, "probable")


def test_controls_that_only_span_the_fields_of_losses_decide_nothing():
    class Spanning(gf.Euclidean):
        spans = True

    flow = gf.Flow(lambda p: p["x"] ** 2, zeros(x=(2,)), metric=Spanning())
    assert known(of(flow), "commuting") == (False, "undecided")


def test_a_seed_says_which_brackets_are_tried(monkeypatch: pytest.MonkeyPatch):
    drawn: list[int] = []

    def noted(generator, place, rng):
        drawn.append(int(rng.integers(2**60)))
        return True, "probable"

    monkeypatch.setattr(module, "_commuting", noted)
    generator = Generator.of(SQUARES)
    closure = close(generator, 0, NEVER)
    for seed in (1, 1, 2):
        facts(generator, closure, True, seed)
    first, again, other = drawn
    assert first == again != other


def test_brackets_are_mostly_of_fields_with_the_same_gates():
    flow = gf.Flow.of_network(
        lambda p, x: p["V"] @ jax.nn.relu(p["W"] @ x),
        zeros(V=(1, 9), W=(9, 1)),
        np.zeros(1),
        loss=gf.FewData(2),
    )
    generator = Generator.of(flow)
    count = len(generator.program.gates)
    place = close(generator, 0, NEVER).point
    rng = np.random.default_rng(0)
    first, second = (random_letter(generator, place.field, rng, 8) for _ in range(2))
    mixed = module._gates_of(first, second, generator)
    assert count and len(mixed.controls) == len(second.controls) > count
    assert mixed.weight is second.weight
    for own, before in zip(mixed.controls[:-count], second.controls[:-count], strict=True):
        assert own is before
    for a, b, c in zip(*(x.controls[-count:] for x in (first, second, mixed)), strict=True):
        assert not np.array_equal(a[:, 3:], b[:, 3:])
        assert np.array_equal(c[:, :3], b[:, :3])
        assert np.array_equal(c[:, 3:], a[:, 3:])


# --- flat directions


def test_the_kernel_is_that_of_the_map_not_of_the_flow():
    """Momentum moves all; φ alone says which directions are flat."""
    flow = gf.Flow(lambda p: p["x"] * p["y"], zeros(x=(), y=()), order=2)
    assert known(of(flow), "kernel") == (1, "proved")
    two = gf.Flow(lambda p: [p["x"] * p["y"], p["y"] * p["z"]], zeros(x=(), y=(), z=()))
    assert known(of(two), "kernel") == (1, "proved")
    many = gf.Flow(lambda p: [p["x"], p["x"] ** 2, p["y"]], zeros(x=(), y=()))
    assert known(of(many), "kernel") == (0, "proved")


def test_a_rank_of_the_map_below_its_size_is_probable():
    flow = gf.Flow(lambda p: [p["x"] * p["y"], (p["x"] * p["y"]) ** 2], zeros(x=(), y=(), z=()))
    assert known(of(flow), "kernel") == (2, "probable")
    several = gf.Flow(lambda p: [p["x"][:2] * p["y"], p["x"][1:] * p["y"]], zeros(x=(3,), y=()))
    assert known(of(several), "kernel") == (1, "probable")


def test_constants_in_the_map():
    """x + y/3 and 3x + y are one function; with another constant they are two."""

    def phi(c, p):
        return jnp.stack([p["x"] + c["c"] * p["y"], 3 * p["x"] + p["y"]])

    for value, flat in ((Fraction(1, 3), 1), (Fraction(1, 2), 0), (None, 0)):
        flow = with_constants(phi, {"x": (), "y": ()}, {"c": value})
        assert of(flow).values["kernel"] == flat


def test_flat_directions_of_a_network_are_those_that_depth_zero_leaves():
    flow = gf.Flow.of_network(
        lambda p, x: p["V"] @ jax.nn.relu(p["W"] @ x), zeros(V=(1, 2), W=(2, 1)), np.zeros(1)
    )
    assert known(of(flow), "kernel") == (2, "probable")
    moving = gf.Flow.of_network(
        lambda p, x: p["v"] * p["w"] * x, zeros(v=(), w=()), np.zeros(()), order=2, damping=1
    )
    generator = Generator.of(moving)
    closure = close(generator, 0, NEVER)
    found = facts(generator, closure, True, 0)
    assert known(found, "kernel") == (2 - (closure.certificate.ranks[0] - 1), "probable")


def test_gates_leave_the_map_s_rank_to_depth_zero():
    flow = gf.Flow.of_network(
        lambda p, x: p["u"] * jax.nn.relu(p["w"] * x),
        zeros(w=(), u=()),
        np.zeros(()),
        loss=gf.FewData(1),
    )
    assert known(of(flow), "kernel") == (1, "probable")


def test_of_sparse_starts_nothing_is_known():
    generator = Generator.of(SQUARES)
    closure = close(generator, 0, NEVER)
    runs = tuple(
        replace(run, anchored=AnchoredRows(1, 0, 1, (0, 0))) for run in closure.certificate.runs
    )
    sparse = Closure(replace(closure.certificate, runs=runs), closure.point)
    found = facts(generator, sparse, True, 0)
    names = {"involutive", "commuting", "depth", "kernel"}
    assert found.values == dict.fromkeys(names)
    assert found.status == dict.fromkeys(names, "undecided")


def test_estimates_prove_no_first_rank():
    flow = gf.Flow(
        lambda p: [jnp.exp(p["x"]), jnp.exp(p["x"]) * p["y"] + p["z"]], zeros(x=(), y=(), z=())
    )
    found = of(flow)
    assert found.values["depth"] == 1
    assert known(found, "involutive") == (False, "probable")
    assert known(found, "depth") == (1, "probable")
    assert known(found, "kernel") == (1, "probable")


def test_fields_that_are_not_linear_in_their_controls_prove_no_first_rank():
    from geoflow.dynamics import RMSProp
    from geoflow.expr.tree import Number

    flow = gf.Flow(
        lambda p: p["x"] * p["y"], zeros(x=(), y=()), dynamics=RMSProp(Number(Fraction(1)))
    )
    found = of(flow)
    assert found.status["commuting"] == "undecided"
    if not found.values["involutive"]:
        assert found.status["involutive"] == "probable"
