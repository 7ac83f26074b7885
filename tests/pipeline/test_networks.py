"""Networks from their text to a verdict: what holds is proved, and each wrong claim is refused."""

from __future__ import annotations

import pytest

from geoflow.options import CheckOptions
from geoflow.pipeline import check_text

RELU = """\
param W[3, 2], b[3], v[3]
input x[2]
network g = v @ relu(W @ x + b)
"""
TWO = """\
param W[2, 3], U[2, 2], V[2, 2]
input x[3]
network g = V @ U @ relu(W @ x)
"""
TOKENS = """\
param E[3, 2], A[2, 2]
input tokens[2] below 3
network logits = embedding(E, tokens) @ A
"""
ATTENTION = """\
use "std/attention.geo"
param Q[2, 1], K[2, 1], V[2, 1], O[2, 1]
input X[2, 2]
network g = attention(Q, K, V, O, X)
"""
CONVOLUTION = """\
param K[2, 1, 2], w[2, 3]
input x[1, 4]
network g = sum(relu(conv1d(x, K))*w)
"""
CLAIMS = [
    (RELU, "law h = sum(W**2, axis=1) + b**2 - v**2", "proved"),
    (RELU, "law h = sum(W**2, axis=1) - v**2", "refuted"),
    (RELU, "law h = sum(W**2, axis=1) + b**2 + v**2", "refuted"),
    (RELU, "expect laws = 3", "proved"),
    (RELU, "expect laws = 4", "refuted"),
    (RELU, "expect laws = 2", "refuted"),
    (RELU, "flow order 2\nexpect no laws", "proved"),
    (TWO, "expect laws of U, V = 3", "proved"),
    (TWO, "expect laws of U, V = 4", "refuted"),
    (TWO, "expect laws of W = 0", "proved"),
    (TOKENS, "law h = E.T @ E - A @ A.T", "proved"),
    (TOKENS, "law h = E.T @ E + A @ A.T", "refuted"),
    (ATTENTION, "law h = [Q.T @ Q - K.T @ K, V.T @ V - O.T @ O]", "proved"),
    (ATTENTION, "law h = Q.T @ Q - V.T @ V", "refuted"),
    (ATTENTION, "expect laws = 3", "refuted"),
    (CONVOLUTION, "law h = sum(K**2, axis=(1, 2)) - sum(w**2, axis=1)", "proved"),
    (CONVOLUTION, "law h = sum(K**2, axis=(1, 2)) + sum(w**2, axis=1)", "refuted"),
]


@pytest.mark.parametrize(("network", "claim", "verdict"), CLAIMS)
def test_a_claim_is_judged(network: str, claim: str, verdict: str):
    report = check_text(network + claim, "<network>", CheckOptions(verify=False))
    (model,) = report.models
    (judged,) = model.claims
    assert judged.verdict == verdict, judged
    assert report.exit_code == int(verdict == "refuted")
    codes = [d.code for d in report.diagnostics]
    wrong = "GEO0601" if claim.startswith("law") else "GEO0602"
    assert codes == ([wrong] if verdict == "refuted" else [])


def test_no_smooth_activation_without_structure_keeps_anything():
    text = "param W[2, 2], v[2]\ninput x[2]\nnetwork g = v @ {}(W @ x)\nexpect no laws"
    for name in ("tanh", "sigmoid", "softplus", "silu"):
        report = check_text(text.format(name), "<network>", CheckOptions(verify=False))
        assert report.models[0].claims[0].verdict == "proved", name
