# examples/overparam.geo: with more hidden neurons than inputs and outputs, balance repeats itself
# From arXiv 2307.00144: the law has 15 entries (i <= j), of which 12 are independent.
model overparametrized

dim n = 2, r = 5, m = 1
param U[n, r], V[m, r]

map phi = U @ V.T

law balance = U.T @ U - V.T @ V
expect laws = r*(r + 1)/2 when r <= n + m
expect laws = (n + m)*r - (n + m)*(n + m - 1)/2 when r > n + m
expect complete
