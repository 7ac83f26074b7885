# examples/linear.geo: a two-layer linear network keeps U.T @ U - V.T @ V
# From Marcotte, Gribonval, Peyré, Abide by the Law and Follow the Flow (arXiv 2307.00144).
model linear2

dim n = 4, r = 3, m = 5
param U[n, r], V[m, r]

map phi = U @ V.T  # all that data and loss can see of the parameters

metric euclidean
flow order 1

law balance = U.T @ U - V.T @ V  # a claim: every entry is conserved
expect laws = r*(r + 1)/2        # a claim: exactly so many independent laws
expect complete                  # a claim: the laws above are all of them
