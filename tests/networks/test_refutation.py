"""A law of a network is refuted by a point and a datum where it changes, with real gates; else it is undecided."""

import ast
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoflow.options import CheckOptions
from geoflow.pipeline import check_text


def checked(text, **options):
    report = check_text(text, "net.geo", CheckOptions(verify=False, **options))
    assert report.models, report.diagnostics
    return report.models[0]


def verdicts(text):
    return {c.text: c.verdict for c in checked(text).claims}


def place(lines):
    """Names and values of witness lines."""
    found = {}
    for line in lines[:-1]:
        for name, value in re.findall(r"(\w+) = (\[.*?\](?=,? *(?:\w+ =|$))|-?\d+)", line):
            found[name] = np.array(ast.literal_eval(value), dtype=float)
    cotangent = re.search(r"a: a = (.*)$", lines[-2])
    assert cotangent is not None
    found["cotangent"] = np.array(ast.literal_eval(cotangent.group(1)), dtype=float)
    match = re.search(r"(?:\[([\d, ]+)\])? = (\S+), not 0$", lines[-1])
    assert match is not None
    entry = tuple(int(k) for k in match.group(1).split(",")) if match.group(1) else ()
    return found, entry, float(eval_fraction(match.group(2)))


def eval_fraction(text):
    over, _, under = text.partition("/")
    return float(over) / float(under or 1)


CASES = {
    "relu": (
        "param U[1,2], V[2,1]\ninput x[1]\nnetwork g = U @ relu(V @ x)\nlaw p = {}",
        lambda t, x: t["U"] @ jax.nn.relu(t["V"] @ x),
        {
            "U[0,0]*V[1,0] - U[0,1]*V[0,0]": lambda t: (
                t["U"][0, 0] * t["V"][1, 0] - t["U"][0, 1] * t["V"][0, 0]
            ),
            "U.T @ U - V @ V.T": lambda t: t["U"].T @ t["U"] - t["V"] @ t["V"].T,
            "sum(U**2, axis=0) - 2*sum(V**2, axis=1)": lambda t: (
                (t["U"] ** 2).sum(0) - 2 * (t["V"] ** 2).sum(1)
            ),
        },
    ),
    "tanh": (
        "param U[2], V[2]\ninput x\nnetwork g = sum(U * tanh(V * x))\nlaw p = {}",
        lambda t, x: jnp.sum(t["U"] * jnp.tanh(t["V"] * x)),
        {"U**2 - V**2": lambda t: t["U"] ** 2 - t["V"] ** 2},
    ),
    "softmax": (
        "param U[2,2], V[2,2]\ninput x[2,2]\n"
        "network g = softmax((x @ U) @ (x @ V).T) @ x\nlaw p = {}",
        lambda t, x: jax.nn.softmax((x @ t["U"]) @ (x @ t["V"]).T) @ x,
        {"U @ U.T - V @ V.T": lambda t: t["U"] @ t["U"].T - t["V"] @ t["V"].T},
    ),
}


@pytest.mark.parametrize(("case", "law"), [(c, law) for c, v in CASES.items() for law in v[2]])
def test_the_witness_is_right_in_floating_point(case, law):
    text, network, laws = CASES[case]
    (claim,) = checked(text.format(law)).claims
    assert claim.verdict == "refuted"
    found, entry, value = place(claim.witness)
    with jax.enable_x64(True):
        theta = {n: jnp.asarray(found[n]) for n in ("U", "V")}
        cotangent = jnp.asarray(found["cotangent"])
        force = jax.grad(lambda t: jnp.sum(cotangent * network(t, jnp.asarray(found["x"]))))(theta)
        _, change = jax.jvp(laws[law], (theta,), (force,))
        change = float(np.asarray(change)[entry])
    assert change == pytest.approx(value, rel=1e-5)
    assert change != 0


def test_true_laws_are_never_refuted():
    text = "param U[1,2], V[2,1]\ninput x[1]\nnetwork g = U @ {}(V @ x)\n"
    law = "law p = sum(U**2, axis=0) - sum(V**2, axis=1)\n"
    for name in ("relu", "abs"):
        assert set(verdicts(text.format(name) + law).values()) == {"proved"}


POSITIVE = "param U[1,2], V[2,1] > 0\ninput x[1]\nnetwork g = U @ relu(V @ x)\n"


def test_a_law_of_real_gates_alone_is_undecided():
    """With positive inner weights both neurons are on together, and U₀V₁ − U₁V₀ is kept, which free gates refute."""
    claims = verdicts(POSITIVE + "law p = U[0,0]*V[1,0] - U[0,1]*V[0,0]")
    assert set(claims.values()) == {"undecided"}


def test_its_neighbour_is_refuted():
    claims = verdicts(POSITIVE + "law p = U[0,0]*V[1,0] - 2*U[0,1]*V[0,0]")
    assert set(claims.values()) == {"refuted"}


def test_a_law_that_only_products_of_gates_make():
    """relu(vx)·relu(−vx) is 0: u and v are kept, whatever free gates say."""
    model = checked(
        "param u, v, w\ninput x\nnetwork g = u*relu(v*x)*relu(-v*x) + w*x\n"
        "law p = u\nlaw q = v\nlaw r = w"
    )
    assert [c.verdict for c in model.claims][2] == "refuted"
    assert not {"refuted", "probably refuted"} & {c.verdict for c in model.claims[:2]}


def test_verdicts_do_not_depend_on_the_seed():
    text = CASES["relu"][0].format("U.T @ U - V @ V.T")
    first, again, other = (checked(text, seed=k) for k in (1, 1, 2))
    assert first.claims == again.claims
    assert [c.verdict for c in first.claims] == [c.verdict for c in other.claims] == ["refuted"]


def test_a_law_with_a_rounded_identity_is_not_refuted_by_tokens():
    """exp(x + y) and exp(x)·exp(y) are told apart by tokens, not by balls."""
    claims = verdicts(
        "param p, q, r\ninput x\n"
        "network g = r*(exp(p*x + q*x) - exp(p*x)*exp(q*x)) + p*x\nlaw a = q\nlaw b = r\nlaw c = p"
    )
    assert claims["q"] not in ("refuted", "proved") and claims["r"] not in ("refuted",)
    assert claims["p"] == "refuted"


POOLED = """
param K[2,1,3,3], c[2], W[2,2]
input x[1,8,8]
let h = max_pool(relu(conv2d(x, K) + reshape(c, (2, 1, 1))), (2, 2))
network g = W @ sum(h, axis=(1, 2))
law channels = sum(K**2, axis=(1, 2, 3)) {sign}
"""


def test_a_pooling_of_relus_is_refuted_where_none_tie():
    """At small integers some window has two equal greatest values, or is all off."""
    (wrong,) = verdicts(POOLED.format(sign="+ c**2 + sum(W**2, axis=0)")).values()
    assert wrong == "refuted"
    (right,) = verdicts(POOLED.format(sign="+ c**2 - sum(W**2, axis=0)")).values()
    assert right == "proved"


def test_scalars_and_momentum_have_real_gates():
    text = "param s, w[2], a[2]\ninput x\nnetwork g = s*(a @ relu(w*x))\ngates real\nflow order 2 damping 1/2"
    model = checked(text)
    assert (model.laws.upper, model.laws.status) == (0, "proved")
    assert any("real gates: exactly 0 laws" in note for note in model.notes)
    assert model.real_gates is not None and "s" in model.real_gates.point
