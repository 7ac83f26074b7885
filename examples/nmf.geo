# examples/nmf.geo: nonnegative matrix factorization under the entropy keeps differences of masses
# From Keep the Momentum (arXiv 2405.12888): one law for each component.
model nmf
dim n = 4, r = 2, m = 3
param U[n, r] > 0, V[m, r] > 0
map phi = U @ V.T
metric mirror(entropy) on U, V
flow order 1
law mass = sum(U, axis=0) - sum(V, axis=0)
expect laws = r
expect complete
