# examples/accelerated_nmf.geo: accelerated mirror descent keeps nothing of nonnegative factorization
# From Keep the Momentum (arXiv 2405.12888): the entropy metric is taken at tau*U + U', and all r masses are lost.
# With the metric at U, heavy ball keeps them, twice each: drop `accelerated` and expect 2*r.
model nmf_accelerated

dim n = 3, r = 2, m = 2
const tau = 1
param U[n, r] > 0, V[m, r] > 0

map phi = U @ V.T

metric mirror(entropy)
flow order 2 damping tau accelerated

expect no laws
