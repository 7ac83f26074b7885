# examples/nesterov.geo: the damping 3/t gives the angular momenta the factor t**3
# From Keep the Momentum (arXiv 2405.12888).
model linear2_nesterov

dim n = 2, r = 3, m = 2
param U[n, r], V[m, r]

map phi = U @ V.T
flow order 2 damping 3/t

law angular = t**3*(U.T @ U' - U'.T @ U + V.T @ V' - V'.T @ V)  # U' is the velocity of U
expect laws = r*(r - 1)/2
expect complete
