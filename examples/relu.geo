# examples/relu.geo: every hidden neuron of a ReLU network balances what comes in and what goes out
# From arXiv 2307.00144. The map lists the paths of W[2] @ relu(W[1] @ x + b), the path-lifting.
model relu

dim d[0..2] = [3, 4, 2]
param W[l in 1..2][d[l], d[l-1]], b[d[1]]

map phi = [einsum("ji,kj->kji", W[1], W[2]), W[2]*b]

law neuron = sum(W[1]**2, axis=1) + b**2 - sum(W[2]**2, axis=0)
expect laws = d[1]
expect complete
