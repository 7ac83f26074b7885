# examples/symbolic.geo: a law that holds for every learning rate, with the rate in the formula
# A symbolic constant stands for any value outside a proper algebraic set.
model any_rate

dim n = 3, r = 2, m = 3
const eta symbolic
param U[n, r], V[m, r]

map phi = U @ V.T

metric scaled(eta) on U

law balance = U.T @ U / eta - V.T @ V
expect laws = r*(r + 1)/2
expect complete
