# examples/nolaw.geo: models that keep nothing
# A weight used twice, and a ReLU network under heavy ball (arXiv 2405.12888).
model tied

dim n = 2
param W[n, n]
map phi = W @ W
expect no laws

model relu_heavy_ball

dim n = 2, r = 2, m = 1
param W[r, n], V[m, r]
map phi = einsum("ji,kj->kji", W, V)  # the paths of V @ relu(W @ x)
flow order 2 damping 1
expect no laws
