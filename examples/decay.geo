# examples/decay.geo: weight decay keeps every law if it is uniform, and may kill them all if it is not
dim n = 2, r = 2, m = 2

# Everything decays at one rate: a law of degree 2 shrinks like exp(-2*lam*t).
model decay_uniform
const lam = 1/10
param U[n, r], V[m, r], b[r]
map phi = [U @ V.T, V @ b]
decay lam
law balance = exp(2*lam*t)*(U.T @ U + outer(b, b) - V.T @ V)
expect laws = r*(r + 1)/2
expect complete

# The usual practice: no decay on the biases.
model decay_without_biases
const lam = 1/10
param U[n, r], V[m, r], b[r]
map phi = [U @ V.T, V @ b]
decay lam on U, V
expect no laws

# Momentum with a rate a layer, as a part of the loss: the angular momentum does not notice.
model decay_coupled
const lam = 1/10
param U[n, r], V[m, r]
map phi = U @ V.T
flow order 2 damping 1
decay lam on U coupled
decay 2*lam on V coupled
law angular = exp(t)*(U.T @ U' - U'.T @ U + V.T @ V' - V'.T @ V)
expect laws = r*(r - 1)/2
expect complete

# The same rates beside the loss.
model decay_decoupled
const lam = 1/10
param U[n, r], V[m, r]
map phi = U @ V.T
flow order 2 damping 1
decay lam on U decoupled
decay 2*lam on V decoupled
expect no laws
