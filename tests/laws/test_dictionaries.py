"""Dictionaries: moments, accelerated mirrors, information beside other metrics, blocks, split axes."""

from __future__ import annotations

import numpy as np
import pytest

from geoflow.laws.blocks import boxes_of

from .checking import check, found, verdicts

ADAM = "param x[2], y[2]\nmap phi = x + y\nflow adam(b1 = 1/10, b2 = 1/100)\n"
BARRIER = "param U[2, 1] > 0, V[{}, 1] > 0\nmap phi = U @ V.T\nmetric mirror(log_barrier)\n"
HEADS = "param Q[4, 3], K[4, 3]\nmap phi = [Q[0:2, :].T @ K[0:2, :], Q[2:4, :].T @ K[2:4, :]]\n"
GROUPED = "param Q[4, 3], K[2, 3]\nmap phi = [Q[0:2, :].T @ K, Q[2:4, :].T @ K]\n"
FLAT = """param K[2, 2], W[1, 4]
map phi = [outer(K[c, :], [W[0, 2*c], W[0, 2*c + 1]]) for c in 0..1]
"""
CONV = """param K1[2, 1, 2], b1[2], K2[1, 2, 2]
map phi = [outer(K2[0, c, :], [K1[c, 0, 0], K1[c, 0, 1], b1[c]]) for c in 0..1]
"""

LAWS = {
    "param x, y\nmap phi = x + y\nflow rmsprop(b2 = 1/10)": ["exp(1/10*t)*(w(x)**2 - w(y)**2)"],
    ADAM: ["exp(1/10*t)*(m(x) - m(y))", "exp(1/100*t)*(w(x)**2 - w(y)**2)"],
    BARRIER.format(2) + "flow order 2 damping 1 accelerated": [
        "exp(t)*(sum(U/(U + U')) - sum(V/(V + V')))"
    ],
    BARRIER.format(3) + "flow order 2 damping 1/2 accelerated": [
        "exp(1/2*t)*(sum(U/(1/2*U + U')) - sum(V/(1/2*V + V')) + 2)"
    ],
    "param U[2, 2], V[2, 2]\nmap phi = U @ V.T\nmetric fisher(blocks) on U": [
        "sum(U**2) - log(det(V.T @ V))"
    ],
    "param U[2, 1], V[2, 1]\nmap phi = U @ V.T\nmetric fisher(blocks, damping = 1/2) on U": [
        "sum(U**2) - log(sum(V**2) + 1/2)"
    ],
    HEADS: ["(Q @ Q.T - K @ K.T)[2:4, 2:4]", "(Q @ Q.T - K @ K.T)[:2, :2]"],
    GROUPED: [
        'K @ K.T - einsum("abc,azc->bz", reshape(Q, [2, 2, 3]), reshape(Q, [2, 2, 3]))',
    ],
    FLAT: ["sum(K**2, axis=1) - sum(reshape(W**2, [1, 2, 2]), axis=(0, 2))"],
    CONV: ["sum(K1**2, axis=(1, 2)) + b1**2 - sum(K2**2, axis=(0, 2))"],
}


@pytest.mark.parametrize("text", LAWS)
def test_the_laws_found_are_all_and_can_be_claimed(text: str):
    """print ∘ parse: a law found, claimed in its own words, is proved."""
    laws = found(text)
    assert laws == LAWS[text]
    claims = "\n".join(f"law claimed{k} = {law}" for k, law in enumerate(laws))
    model = check(f"{text}\n{claims}\nexpect complete")
    assert set(verdicts(model).values()) == {"proved"}
    assert model.laws.status == "proved"


REFUTED = {
    ADAM: ["w(x)**2 - w(y)**2", "exp(t/10)*(w(x)**2 - w(y)**2)", "exp(t/10)*m(x)"],
    BARRIER.format(3) + "flow order 2 damping 1/2 accelerated": [
        "exp(1/2*t)*(sum(U/(1/2*U + U')) - sum(V/(1/2*V + V')))"
    ],
    HEADS: ["Q @ Q.T - K @ K.T", "(Q @ Q.T - K @ K.T)[:3, :3]"],
    GROUPED: ["Q[:2, :] @ Q[:2, :].T - K @ K.T"],
}


@pytest.mark.parametrize("text", REFUTED)
def test_what_almost_holds_is_refuted(text: str):
    claims = "\n".join(f"law claimed{k} = {law}" for k, law in enumerate(REFUTED[text]))
    assert set(verdicts(check(f"{text}\n{claims}")).values()) == {"refuted"}


def test_a_translation_under_an_accelerated_mirror():
    text = "param x > 0, y > 0\nmap phi = x + y\nmetric mirror(entropy)\nflow order 2 damping 1/2 accelerated"
    assert "log(1/2*x + x') - log(1/2*y + y')" in found(text)


@pytest.mark.parametrize(
    "rows, boxes",
    [
        (["110", "110", "001"], [((0, 2), (0, 2)), ((2, 3), (2, 3))]),
        (["111", "111"], [((0, 2), (0, 3))]),
        (["010", "111"], [((0, 2), (1, 2)), ((1, 2), (0, 3))]),
        (["000", "000"], []),
    ],
)
def test_boxes_cover_what_is_true_and_no_more(rows: list[str], boxes: list):
    where = np.array([[c == "1" for c in row] for row in rows])
    covered = np.zeros_like(where)
    for (a, b), (c, d) in boxes_of(where):
        covered[a:b, c:d] = True
    assert np.array_equal(covered, where)
    assert list(boxes_of(where)) == boxes
