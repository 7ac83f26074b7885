"""The oracle that reads texts, on counts and laws known from the papers and the pages on flows."""

from __future__ import annotations

import pytest

from .second_opinion import Opinion

CASES = {
    "balance under decay": (
        "param U[2, 2], V[2, 2]\nmap phi = U @ V.T\ndecay 1/10\n",
        3,
        ("exp(t/5)*(U.T @ U - V.T @ V)",),
        ("U.T @ U - V.T @ V", "exp(t/10)*(U.T @ U - V.T @ V)"),
    ),
    "families": (
        "dim L = 2, d[0..L] = [2, 1, 2]\nparam W[l in 1..L][d[l], d[l-1]]\n"
        "map phi = chain(h = eye(2); l in 1..L: W[l] @ h)\n",
        1,
        ("W[1] @ W[1].T - W[2].T @ W[2]",),
        ("W[1] @ W[1].T + W[2].T @ W[2]",),
    ),
    "linear attention": (
        "param Q[2, 1], K[2, 1], V[2, 1], O[2, 1]\ninput X[2, 2]\n"
        "network g = X @ Q @ K.T @ X.T @ X @ V @ O.T\n",
        3,
        ("Q.T @ Q - K.T @ K", "V.T @ V - O.T @ O"),
        ("Q.T @ Q - V.T @ O",),
    ),
    "neurons": (
        "param W[2, 2], b[2], v[2]\ninput x[2]\nnetwork g = v @ relu(W @ x + b)\n",
        2,
        ("sum(W**2, axis=1) + b**2 - v**2",),
        ("sum(W**2, axis=1) + b**2 + v**2",),
    ),
    "masses with momentum": (
        "param U[2, 1] > 0, V[2, 1] > 0\nmap phi = U @ V.T\nmetric mirror(entropy)\n"
        "flow order 2 damping 1\n",
        2,
        ("exp(t)*(sum(U') - sum(V'))", "sum(U) - sum(V) + sum(U') - sum(V')"),
        ("sum(U) - sum(V)",),
    ),
    "accelerated": (
        "param U[2, 1] > 0, V[1, 1] > 0\nmap phi = U @ V.T\nmetric mirror(entropy)\n"
        "flow order 2 damping 1 accelerated\n",
        0,
        (),
        ("sum(U) - sum(V)",),
    ),
    "moments of Adam": (
        "param x, y\nmap phi = x + y\nflow adam(b1 = 1/10, b2 = 1/20)\n",
        2,
        ("exp(t/10)*(m(x) - m(y))", "exp(t/20)*(w(x)**2 - w(y)**2)"),
        ("x - y",),
    ),
    "steepest descent": (
        "param x > 0, y > 0, z > 0\nmap phi = x*y*z\nflow sign(2)\n", 2, ("x**3 - y**3",), ("x - y",),
    ),
    "natural gradient": (
        "param U[2, 1], V[2, 1]\nmap phi = U @ V.T\nmetric fisher(blocks)\n",
        1,
        ("log(sum(U**2)) - log(sum(V**2))",),
        ("sum(U**2) - sum(V**2)",),
    ),
    "stretched": (
        "param x, y\nmap phi = x*y\nmetric riemannian(diag([1/(1 + x**2), 1/(1 + y**2)]))\n",
        1,
        ("log(1 + x**2) - log(1 + y**2)",),
        ("x**2 - y**2",),
    ),
    "classes": (
        "param W[1, 2], V[3, 1]\nmap phi = (V @ W).T\nloss cross_entropy\n",
        2,
        ("sum(V, axis=0)", "W @ W.T - V.T @ V"),
        ("sum(W)",),
    ),
    "roots": (
        "param x > 0, y > 0, z\nmap phi = [sqrt(x)*sqrt(y), z*(sqrt(x)*sqrt(y) - sqrt(x*y))]\n",
        2,
        ("x**2 - y**2", "z"),
        ("x - y",),
    ),
    "a smooth neuron": (
        "param a, w, b\ninput x\nnetwork g = a*tanh(w*x + b)\n", 0, (), ("a**2 - w**2",),
    ),
    "tokens": (
        "param E[3, 1], A[1, 2]\ninput words[2] below 3\nnetwork g = embedding(E, words) @ A\n",
        1,
        ("E.T @ E - A @ A.T",),
        ("E[0]*E[1]",),
    ),
    "a rigid body": (
        "param L[3]\ncontrol a[3]\n"
        "let w = [L[0] + a[0], L[1]/2 + a[1], L[2]/3 + a[2]]\n"
        "field L' = [L[1]*w[2] - L[2]*w[1], L[2]*w[0] - L[0]*w[2], L[0]*w[1] - L[1]*w[0]]\n",
        1,
        ("L @ L",),
        ("L[0]**2 + L[1]**2/2 + L[2]**2/3",),
    ),
    "a bad prime": ("param x, y\nmap phi = [x*y, 67108859*x]\n", 0, (), ("x**2 - y**2",)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_known(name: str) -> None:
    text, count, true, false = CASES[name]
    opinion = Opinion(text)
    assert opinion.best.count == count
    assert all(map(opinion.is_law, true))
    assert not any(map(opinion.is_law, false))


def test_the_two_arithmetics_agree() -> None:
    opinion = Opinion(CASES["linear attention"][0])
    assert opinion.exact
    assert opinion.reals.closed.ranks == opinion.best.closed.ranks
    assert opinion.reals.is_law(opinion.system.law("Q.T @ Q - K.T @ K")[0, 0])


def test_laws_of_a_block_are_not_those_of_dropped_coordinates() -> None:
    opinion = Opinion("param x, y, c\nmap phi = x + c*y\n")
    x, y, _ = opinion.system.state
    assert opinion.best.block([x, y]) == 0


def test_gates_that_refute_are_those_of_a_point() -> None:
    opinion = Opinion("param w, a\ninput x\nnetwork g = a*relu(w*x)\n")
    assert opinion.refuted_by_gates("w**2 + a**2")
    assert not opinion.refuted_by_gates("w**2 - a**2", trials=5)
