"""Fisher metrics that are singular everywhere, and those of outputs that are not Gaussian."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.exact import linalg
from geoflow.expr.tree import Number
from geoflow.lossclass import AnyLoss, CrossEntropy, FewData, LossClass
from geoflow.metric import Fisher, genericrank
from geoflow.metric.genericrank import generic_rank, zero_columns
from geoflow.metric.information import OUTPUTS, Distribution, halved, seen, unweighed, weighed
from geoflow.options import CheckOptions
from geoflow.pipeline import check_text

from .checking import BALANCE, Case, factors, hold, product, scalars, verdict

ANY = AnyLoss()
EXACT = CheckOptions(verify=False)
BOTTLENECK = {"A": np.zeros((2, 2)), "B": np.zeros((2, 1)), "C": np.zeros((1, 2))}
FIRST = "log(det(A.T @ A)) - log(sum(B**2))"
SECOND = "log(sum((A @ B)**2)) - 2*log(sum(C**2))"


def chain(p: Any) -> Any:
    return p["A"] @ p["B"] @ p["C"]


def narrow(metric: Any) -> gf.Flow:
    """A has 4 entries, the map 4 outputs, and the block of A rank 2."""
    return gf.Flow(chain, BOTTLENECK, metric=metric)


def model(laws: dict[str, str], metric: str, more: str = "") -> str:
    head = "param A[2, 2], B[2, 1], C[1, 2]\nmap phi = A @ B @ C\n"
    lines = "".join(f"law {name} = {text}\n" for name, text in laws.items())
    return f"{head}metric {metric}\n{lines}{more}"


def judged(text: str) -> dict[str, str]:
    (report,) = check_text(text, "<test>", EXACT).models
    return {claim.name or claim.text: claim.verdict for claim in report.claims}


@pytest.mark.slow
def test_a_block_whose_rank_is_below_both_sizes() -> None:
    laws = {"first": FIRST, "second": SECOND, "false": "log(det(A.T @ A)) - log(sum(C**2))"}
    found = judged(model(laws, "fisher(blocks)", "expect laws = 2\n"))
    assert found == {
        "first": "proved",
        "second": "proved",
        "false": "refuted",
        "expect laws = 2": "proved",
    }
    (metric,) = narrow(Fisher("blocks")).parametrization.metrics
    assert isinstance(metric.metric, Fisher) and metric.metric.found is not None
    ranks = {names: (r.rank, r.proved) for names, r in metric.metric.found.ranks.items()}
    assert ranks == {("A",): (2, True), ("B",): (2, True), ("C",): (2, True)}


def test_a_rank_that_is_not_shown_makes_every_verdict_probable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(genericrank, "_ENTRIES", 0)
    laws = {"first": FIRST, "second": SECOND, "false": "log(det(A.T @ A)) - log(sum(C**2))"}
    text = model(laws, "fisher(blocks)", "expect laws = 2\nexpect laws = 5\nexpect complete\n")
    (report,) = check_text(text, "<test>", EXACT).models
    assert "the rank 2 of the Fisher metric of A is generic: probable" in report.assumes
    assert report.laws.status == "probable"
    assert [c.verdict for c in report.claims] == [
        "probable",
        "probable",
        "probably refuted",
        "probable",
        "probably refuted",
        "probable",
    ]
    assert "proved" not in {f.status for f in report.found} | set(report.facts_status.values())


@pytest.mark.parametrize("kind", ["full", "blocks"])
def test_the_exact_inverse_is_the_pseudo_inverse(kind: Any) -> None:
    flow = gf.Flow(chain, BOTTLENECK, metric=Fisher(kind), loss=FewData(1))
    rng = np.random.default_rng(5)
    with jax.enable_x64(True):
        point = {b.name: jnp.asarray(rng.normal(size=b.shape)) for b in flow.state}
        covector = {b.name: jnp.asarray(rng.normal(size=b.shape)) for b in flow.state}
        p = flow.parametrization
        by_formula = p.direction({}, point, covector, how="exact")
        by_values = p.direction({}, point, covector, how="steepest")
    for name in point:
        assert np.allclose(by_formula[name], by_values[name], rtol=1e-7)


def test_an_entry_that_the_map_does_not_see_stays() -> None:
    def phi(p: Any) -> Any:
        return p["x"][0] * p["y"]

    for kind in ("diagonal", "blocks"):
        flow = gf.Flow(phi, {"x": np.zeros(2), "y": np.zeros(())}, metric=Fisher(kind))
        case = Case(lambda flow=flow: flow, 2, ("x[1]",), ("x[0] + x[1]",), ("x[0]/y",))
        analysis = gf.analyze(flow)
        assert (analysis.count.upper, analysis.count.status) == (2, "proved")
        assert [verdict(flow, text) for text in (*case.laws, *case.right)] == ["proved"] * 2
        assert [verdict(flow, text) for text in case.wrong] == ["refuted"]


def test_an_unseen_entry_is_one_that_is_zero_identically() -> None:
    def columns(c: Any, p: Any) -> Any:
        x, y = p["x"], p["y"]
        square = (x + y) ** 2 - x**2 - 2 * x * y - y**2
        return jnp.stack([x, square, x - y]).reshape(1, 3)

    found = zero_columns(columns, {}, {"x": (), "y": ()})
    assert (found.columns, found.proved) == ((1,), True)


def test_a_rank_below_both_sizes_is_an_identity() -> None:
    def outer(c: Any, p: Any) -> Any:
        return jnp.outer(p["u"], p["v"]) / (1 + p["u"][0] ** 2)

    found = generic_rank(outer, {}, {"u": (3,), "v": (4,)})
    assert (found.rank, found.proved) == (1, True)


def test_what_vanishes_has_the_rank_0() -> None:
    """φ that does not depend on x: the block of x in the metric is 0, and its inverse has no entries."""

    def nothing(c: Any, p: Any) -> Any:
        return (p["x"] - p["x"]) * jnp.ones((2, 2))

    found = generic_rank(nothing, {}, {"x": ()})
    assert (found.rank, found.proved) == (0, True)
    flow = gf.Flow(lambda p: p["y"] ** 2, {"x": 0.0, "y": 0.0}, metric=Fisher("blocks"))
    count = gf.analyze(flow).count
    assert (count.lower, count.upper, count.status) == (1, 1, "proved")


def test_a_rank_that_is_too_small_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row taken where two are needed, as an unlucky point would have it."""

    def two(c: Any, p: Any) -> Any:
        return jnp.outer(p["u"], p["v"]) + jnp.outer(p["v"], p["u"])

    shapes = {"u": (3,), "v": (3,)}
    found = generic_rank(two, {}, shapes)
    assert (found.rank, found.proved) == (2, True)
    independent = linalg.independent_rows
    monkeypatch.setattr(linalg, "independent_rows", lambda m, p: independent(m, p)[:1])
    found = generic_rank(two, {}, shapes)
    assert (found.rank, found.proved) == (1, False)


BESIDE = "log(det(V.T @ V)) - sum(U**2)"


def test_full_fisher_with_another_metric_beside_it() -> None:
    flow = gf.Flow(product, factors(2, 2, 2), metric={"U": Fisher("full")})
    assert verdict(flow, BESIDE) == "proved"
    assert verdict(flow, "log(det(V.T @ V)) - 2*sum(U**2)") == "refuted"


def test_full_fisher_of_a_rank_deficient_jacobian_under_few_data() -> None:
    """The natural gradient of a single datum moves φ along a fixed curve: all else is kept."""
    flow = gf.Flow(product, factors(3, 1, 3), metric=Fisher("full"), loss=FewData(1))
    (metric,) = flow.parametrization.metrics
    assert isinstance(metric.metric, Fisher) and metric.metric.found is not None
    (rank,) = metric.metric.found.ranks.values()
    assert (rank.rank, rank.proved) == (5, True)
    assert verdict(flow, BALANCE) == "proved"
    assert verdict(flow, "sum(U**2)") == "refuted"


COUPLED = {
    "full": (Fisher("full"), (BALANCE,), (f"exp(2*t)*({BALANCE})",)),
    "full damped": (
        Fisher("full", damping=Number(Fraction(3))),
        (f"exp(2/3*t)*({BALANCE})",),
        (BALANCE, f"exp(2*t)*({BALANCE})"),
    ),
}


@pytest.mark.parametrize("name", COUPLED)
def test_coupled_decay_goes_through_the_metric(name: str) -> None:
    """−M⁺θ is in the range of Jᵀ, which leaves the balance alone; −(M + cI)⁻¹θ is −θ/c besides."""
    metric, laws, wrong = COUPLED[name]
    flow = gf.Flow(product, factors(2, 2, 2), metric=metric, decay=1, coupled=True)
    hold(Case(lambda: flow, 3, laws, wrong))


@pytest.mark.parametrize("kind", ["blocks", "diagonal"])
def test_coupled_decay_of_other_fishers_keeps_nothing(kind: Any) -> None:
    flow = gf.Flow(product, factors(2, 2, 2), metric=Fisher(kind), decay=1, coupled=True)
    hold(Case(lambda: flow, 0, (), (BALANCE, "log(det(U)) - log(det(V))")))


def test_coupled_decay_of_momentum_under_full_fisher() -> None:
    flow = gf.Flow(
        product, factors(2, 1, 2), metric=Fisher("full"), order=2, damping=1, decay=1, coupled=True
    )
    count = gf.count_laws(flow)
    assert (count.upper, count.status) == (0, "proved")


# ---------------------------------------------------------------- outputs


def _log_partition(output: Distribution, y: jax.Array) -> jax.Array:
    match output:
        case "gaussian":
            return jnp.sum(y**2) / 2
        case "bernoulli":
            return jnp.sum(jnp.log1p(jnp.exp(y)))
        case "poisson":
            return jnp.sum(jnp.exp(y))
        case "categorical":
            return jnp.sum(jax.nn.logsumexp(y, axis=-1))


@pytest.mark.parametrize("output", OUTPUTS)
def test_the_information_is_the_hessian_of_the_log_partition(output: Distribution) -> None:
    rng = np.random.default_rng(3)
    with jax.enable_x64(True):
        y, jacobian = jnp.asarray(rng.normal(size=(2, 3))), jnp.asarray(rng.normal(size=(2, 3, 5)))
        hessian = jax.hessian(lambda v: _log_partition(output, v))(y).reshape(6, 6)
        flat = jacobian.reshape(6, 5)
        k = seen(output, jacobian)
        assert np.allclose(k.T @ weighed(output, y, k), flat.T @ hessian @ flat)
        assert np.allclose(unweighed(output, y, weighed(output, y, k)), k)
        root = halved(output, y, k)
        assert np.allclose(root.T @ root, k.T @ weighed(output, y, k))


def classes(n: int, r: int, m: int, loss: LossClass = ANY) -> Callable[[Distribution], gf.Flow]:
    return lambda output: gf.Flow(
        product, factors(n, r, m), metric=Fisher("blocks", output=output), loss=loss
    )


# dims of U Vᵀ, output, and the number of laws
OUTPUT_LAWS = {
    ((2, 1, 2), "bernoulli"): 0,
    ((3, 1, 2), "poisson"): 0,
    ((3, 2, 2), "bernoulli"): 0,
    ((2, 2, 2), "bernoulli"): 1,
    ((2, 3, 2), "poisson"): 1,
    ((2, 1, 3), "categorical"): 1,
    ((2, 2, 3), "categorical"): 2,
    ((2, 3, 2), "categorical"): 4,
}


@pytest.mark.parametrize(("dims", "output"), OUTPUT_LAWS)
def test_laws_of_blocks_by_output(dims: tuple[int, int, int], output: Distribution) -> None:
    """The rank is proved in balls, the laws with exponentials as variables."""
    count = gf.analyze(classes(*dims)(output)).count
    assert (count.upper, count.status) == (OUTPUT_LAWS[dims, output], "proved")


def test_laws_of_categorical_blocks() -> None:
    flow = classes(2, 2, 3)("categorical")
    assert verdict(flow, "sum(V, axis=0)") == "proved"
    assert [verdict(flow, text) for text in ("sum(U, axis=0)", DETERMINANTS)] == ["refuted"] * 2


DETERMINANTS = "log(det(U.T @ U)) - log(det(V.T @ V))"


@pytest.mark.parametrize("output", ["bernoulli", "poisson"])
def test_an_invertible_information_is_absorbed_by_independent_rows(output: Distribution) -> None:
    """Then the laws are those of a Gaussian output, exactly."""
    flow = classes(2, 2, 2)(output)
    hold(Case(lambda: flow, 1, (DETERMINANTS,), (BALANCE, "log(det(U.T @ U))")))
    exact, spanned = fields(flow)
    both = np.concatenate([exact, spanned])
    assert [np.linalg.matrix_rank(x) for x in (exact, spanned, both)] == [4, 4, 4]
    assert not np.allclose(exact, spanned)


def test_a_categorical_information_is_absorbed_under_cross_entropy() -> None:
    flow = classes(2, 2, 2, CrossEntropy())("categorical")
    assert verdict(flow, "sum(V, axis=0)") == "proved"
    assert verdict(flow, "log(det(U.T @ U)) - log(sum((V[0] - V[1])**2))") == "proved"
    assert verdict(flow, DETERMINANTS) == "refuted"
    exact, spanned = fields(flow)
    both = np.concatenate([exact, spanned])
    assert [np.linalg.matrix_rank(x) for x in (exact, spanned, both)] == [2, 2, 2]


def fields(flow: gf.Flow) -> tuple[np.ndarray, np.ndarray]:
    """M⁺Jᵀa by the exact and the spanning inverse, one row for each of some cotangents."""
    rng, p = np.random.default_rng(11), flow.parametrization
    rows: dict[str, list[np.ndarray]] = {"exact": [], "spanning": []}
    with jax.enable_x64(True):
        point = {b.name: jnp.asarray(rng.normal(size=b.shape)) for b in flow.state}
        for _ in range(6):
            b = tuple(jnp.asarray(rng.normal(size=s)) for s in flow.cotangents)
            covector = p.gradient({}, point, p.loss.cotangent(p.outputs, b))
            for how, found in rows.items():
                moved = p.direction({}, point, covector, how=how)  # type: ignore[arg-type]
                found.append(np.concatenate([np.ravel(moved[n.name]) for n in flow.parameters]))
    return np.stack(rows["exact"]), np.stack(rows["spanning"])


def test_one_output_absorbs_its_information() -> None:
    metric = Fisher("blocks", output="bernoulli")
    flow = gf.Flow(lambda p: p["x"] * p["y"], scalars("x", "y"), metric=metric)
    assert gf.analyze(flow).count.upper == 1
    assert [verdict(flow, text) for text in ("x/y", "x**2 - y**2")] == ["proved", "refuted"]


def test_absorbed_fields_are_not_the_fields_themselves() -> None:
    text = "param x[2], y[2]\nmap phi = x*y\nmetric fisher({})\nexpect commuting"
    assert judged(text.format("blocks")) == {"expect commuting": "proved"}
    assert judged(text.format("blocks, output = bernoulli")) == {"expect commuting": "undecided"}
