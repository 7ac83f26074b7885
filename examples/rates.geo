# examples/rates.geo: a learning rate per layer keeps every law, weighted
# Two layers trained at rates 1/10 and 1/100: each square is divided by its rate.
model layer_rates

dim n = 3, r = 2, m = 3
const fast = 1/10, slow = 1/100
param U[n, r], V[m, r]

map phi = U @ V.T

metric scaled(fast) on U
metric scaled(slow) on V

law balance = U.T @ U / fast - V.T @ V / slow
expect laws = r*(r + 1)/2
expect complete
