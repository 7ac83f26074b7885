# examples/icnn.geo: a two-layer input-convex network, entropy on its nonnegative output weights
# From arXiv 2405.12888. The map lists the paths of U @ relu(V @ x + b), the path-lifting.
model icnn

dim n = 2, r = 3, m = 2
param U[n, r] >= 0, V[r, m], b[r]

map phi = [einsum("kj,ji->kji", U, V), U*b]

metric mirror(entropy) on U

law neuron = 2*sum(U, axis=0) - sum(V**2, axis=1) - b**2
expect laws = r
expect complete
