"""Models that several tests speak of, and ways to load one."""

from __future__ import annotations

from geoflow.expr.tree import Expr
from geoflow.semantics import load_text
from geoflow.semantics.model import Model

LINEAR = """\
model linear2
dim n = 4, r = 3, m = 5
param U[n, r], V[m, r]
map phi = U @ V.T
metric euclidean
flow order 1
law balance = U.T @ U - V.T @ V
expect laws = r*(r + 1)/2
expect complete
"""
MOMENTUM = """\
model linear2_momentum
dim n = 2, r = 3, m = 2
param U[n, r], V[m, r]
map phi = U @ V.T
flow order 2 damping 3/t
law angular = t**3 * (U.T @ U' - U'.T @ U + V.T @ V' - V'.T @ V)
expect laws = r*(r - 1)/2
"""
NMF = """\
model nmf
dim n = 4, r = 2, m = 3
param U[n, r] > 0, V[m, r] >= 0
map phi = U @ V.T
metric mirror(entropy) on U, V
law mass = sum(U, axis=0) - sum(V, axis=0)
expect laws = r
"""
DEEP = """\
dim L = 3, d[0..L] = [2, 3, 4, 1]
param W[l in 1..L][d[l], d[l-1]]
map phi = chain(h = eye(d[0]); l in 1..L: W[l] @ h)
law balance = W[1] @ W[1].T - W[2].T @ W[2]
expect laws = 3
"""
TRAINED = """\
const c = 1/10, e symbolic
param U[2, 3] > 0, V[4, 3], W[l in 1..2][2, 2]
map phi = [U @ V.T, W[2] @ W[1]]
metric mirror(entropy) on U
metric fisher(blocks, damping = c, output = categorical) on V
metric riemannian(diag(concat([reshape(1 + W[1]**2, 4), ones(4)]))) on W
flow order 2 damping e accelerated
decay c on U, W coupled
decay e*2 on V coupled
loss data(3)
at {U = ones((2, 3)), V = zeros((4, 3)), W = eye(2)}
law h = exp(e*t)*U'
"""
UNICYCLE = """\
param x, y, u
control a[2]
let ahead = a[0]/(1 + u**2)
field x' = ahead*(1 - u**2)
field y' = 2*u*ahead
field u' = a[1]*(1 + u**2)/2
expect no laws
"""
NETWORK = """\
use "std/layers.geo"
dim n = 2, V = 3
param W[l in 1..2][3, 3], E[V, 3], K[2, 1, 2], g[3]
input x[3], tokens[n] below V
let h = rms_norm(chain(h = x; l in 1..2: relu(W[l] @ h)), g, eps=1/10)
network f = [h, softmax(embedding(E, tokens)), max_pool(conv1d([x], K, padding=1), 2), linear(E, h)]
gates real
expect laws of W, g = 0
"""


def model(text: str, **overrides: str) -> Model:
    """The one model of a text without mistakes."""
    models, diagnostics = load_text(text, overrides=overrides)
    assert diagnostics == ()
    (only,) = models
    return only


def codes(text: str, **overrides: str) -> list[str]:
    models, diagnostics = load_text(text, overrides=overrides)
    assert bool(models) != bool(diagnostics)
    return [diagnostic.code for diagnostic in diagnostics]


def expression(
    text: str, declarations: str = "param U[4, 3], V[4, 3], x[3], s, W[l in 1..2][3, 3]"
) -> Expr:
    """The expression, as a law."""
    found = model(f"{declarations}\nmap phi = U*s\nflow order 2\nlaw h = {text}")
    return found.laws[0].expression
