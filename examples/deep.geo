# examples/deep.geo: a deep linear network balances every two neighbouring layers
# From arXiv 2307.00144; the law itself goes back to Arora, Cohen, Hazan (arXiv 1802.06509).
model deep_linear

dim L = 3, d[0..L] = [4, 3, 3, 2]
param W[l in 1..L][d[l], d[l-1]]

map phi = chain(h = W[1]; l in 2..L: W[l] @ h)

law balance = [W[l] @ W[l].T - W[l+1].T @ W[l+1] for l in 1..L-1]  # equal widths, so one array
expect laws = d[1]*(d[1] + 1)/2 + d[2]*(d[2] + 1)/2
expect complete
