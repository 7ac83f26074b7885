# examples/momentum.geo: under heavy ball, angular momentum takes the place of balance
# From Marcotte, Gribonval, Peyré, Keep the Momentum (arXiv 2405.12888).
model linear2_heavy_ball

dim n = 2, r = 3, m = 2
const tau = 1/2
param U[n, r], V[m, r]

map phi = U @ V.T
flow order 2 damping tau

law angular = exp(tau*t)*(U.T @ U' - U'.T @ U + V.T @ V' - V'.T @ V)  # U' is the velocity of U
expect laws = r*(r - 1)/2
expect complete
