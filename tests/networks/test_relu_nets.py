"""ReLU networks as `network` text: counts, proofs, real gates, and claims that are refused."""

import numpy as np
import pytest

from geoflow.options import CheckOptions
from geoflow.pipeline import check_text


def relu_net(widths, bias):
    """The text of a ReLU network with its law per hidden layer."""
    depth = len(widths) - 1
    lines = [f"dim d[0..{depth}] = {list(widths)}", f"param W[l in 1..{depth}][d[l], d[l-1]]"]
    if bias:
        lines.append(f"param b[l in 1..{depth - 1}][d[l]]")
    lines.append("input x[d[0]]")
    inner = "x"
    for layer in range(1, depth):
        inner = f"relu(W[{layer}] @ {inner}" + (f" + b[{layer}])" if bias else ")")
        extra = f" + b[{layer}]**2" if bias else ""
        lines.append(
            f"law h{layer} = sum(W[{layer}]**2, axis=1){extra} - sum(W[{layer + 1}]**2, axis=0)"
        )
    lines.append(f"network g = W[{depth}] @ {inner}")
    return "\n".join(lines)


def random_nets(count):
    """The authors' recipe."""
    rng = np.random.RandomState(0)
    for _ in range(count):
        depth = rng.randint(2, 5)
        widths = [int(rng.randint(2, 10)) for _ in range(depth + 1)]
        yield widths, bool(rng.random_sample() < 0.5)


def checked(text, **options):
    report = check_text(text, "net.geo", CheckOptions(verify=False, **options))
    assert report.models, report.diagnostics
    return report.models[0]


@pytest.mark.parametrize(("widths", "bias"), list(random_nets(12)))
def test_one_law_per_hidden_neuron(widths, bias):
    hidden = sum(widths[1:-1])
    text = relu_net(widths, bias) + f"\nexpect laws = {hidden}\nexpect complete"
    model = checked(text)
    assert (model.laws.lower, model.laws.upper, model.laws.status) == (hidden, hidden, "proved")
    assert model.laws.of == "path-lifting"
    assert {c.verdict for c in model.claims} == {"proved"}


@pytest.mark.slow
@pytest.mark.parametrize(("widths", "bias"), list(random_nets(50))[12:])
def test_all_fifty(widths, bias):
    hidden = sum(widths[1:-1])
    model = checked(relu_net(widths, bias) + f"\nexpect laws = {hidden}\nexpect complete")
    assert {c.verdict for c in model.claims} == {"proved"}


@pytest.mark.parametrize("bias", [False, True])
def test_wrong_claims_are_refuted_at_real_gates(bias):
    text = relu_net([3, 4, 2], bias).replace("- sum(W[2]", "+ sum(W[2]")
    model = checked(text + "\nexpect laws = 5")
    law, count = model.claims
    assert law.verdict == "refuted" and count.verdict == "refuted"
    assert any("datum" in line for line in law.witness)


def test_a_law_of_unequal_neurons_is_refuted():
    model = checked(relu_net([2, 3, 2], False) + "\nlaw odd = W[1][0, 0]**2 - W[1][1, 0]**2")
    assert model.claims[-1].verdict == "refuted"


def test_counts_differ_between_open_sets():
    model = checked(relu_net([3, 2, 2, 2], False), gates="real")
    real = model.real_gates
    assert real is not None
    assert real.upper == 4 and real.switching == real.gates == 4
    assert len(real.counts) > 1 and min(real.counts) == 4
    assert any("open set" in note for note in model.notes)


def test_collinear_first_layer_has_more_laws_than_its_lifting():
    """1-3-1 without bias: all rows of the first layer are collinear."""
    model = checked(relu_net([1, 3, 1], False), gates="real")
    assert model.laws.upper == 3 and model.real_gates is not None
    assert model.real_gates.upper == 4
    assert any("more laws than the path-lifting" in note for note in model.notes)


def test_the_point_of_real_gates_is_where_they_say():
    """At the printed integers the gates of the count really switch over data."""
    model = checked(relu_net([2, 3, 1], True), gates="real")
    assert model.real_gates is not None
    point = {n: np.array(v, dtype=float) for n, v in model.real_gates.point.items()}
    x = np.random.default_rng(0).standard_normal((4000, 2)) * 2.0 ** np.random.default_rng(
        1
    ).integers(8, 60, (4000, 1))
    on = x @ point["W[1]"].T + point["b[1]"] > 0
    assert np.all(on.any(axis=0)) and np.all((~on).any(axis=0))


def test_momentum_has_no_law():
    model = checked(
        relu_net([2, 3, 2], True).split("\nlaw")[0]
        + "\nnetwork g = W[2] @ relu(W[1] @ x + b[1])\nflow order 2 damping 1\nexpect no laws"
    )
    assert model.claims[-1].verdict == "proved"


def test_squared_relu_is_homogeneous_of_degree_two():
    text = (
        "param W[3, 2], V[2, 3]\ninput x[2]\nnetwork g = V @ relu(W @ x)**2\n"
        "law h = sum(W**2, axis=1) - 2*sum(V**2, axis=0)\nexpect complete"
    )
    assert {c.verdict for c in checked(text).claims} == {"proved"}
    wrong = text.replace("2*sum(V", "sum(V")
    assert checked(wrong).claims[0].verdict == "refuted"


def test_gates_are_zero_or_one_where_they_are_multiplied():
    """relu(z)² − z·relu(z) is zero for every gate that is 0 or 1, so v moves nothing."""
    text = "param w[2], v, u[2]\ninput x[2]\nnetwork g = v*(relu(w @ x)**2 - (w @ x)*relu(w @ x)) + u @ x\n"
    model = checked(text + "expect laws = 3")
    assert model.claims[0].verdict == "proved"
