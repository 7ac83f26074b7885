# examples/mirror.geo: other potentials balance other quantities, one for each component
# For a separable potential psi the law is the sum of u psi'(u) - psi(u) (arXiv 2405.12888).
dim n = 3, r = 2, m = 2

model log_barrier
param U[n, r] > 0, V[m, r] > 0
map phi = U @ V.T
metric mirror(log_barrier)
law logarithms = sum(log(U), axis=0) - sum(log(V), axis=0)
expect laws = r
expect complete

model quartic
param U[n, r], V[m, r]
map phi = U @ V.T
metric mirror(power(4))
law fourth_powers = sum(U**4, axis=0) - sum(V**4, axis=0)
expect laws = r
expect complete
