# examples/subchain.geo: one law more than balancedness gives, and no formula known for it
# A scalar map of 8 parameters leaves 7 laws; six are balancedness (arXiv 2307.00144).
model subchain

dim d[0..3] = [1, 2, 2, 1]
param W[l in 1..3][d[l-1], d[l]]

map phi = W[1] @ W[2] @ W[3]

law balance1 = W[1].T @ W[1] - W[2] @ W[2].T
law balance2 = W[2].T @ W[2] - W[3] @ W[3].T
expect laws = 7
