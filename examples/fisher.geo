# examples/fisher.geo: natural gradient on one parametrization, by how much of the Fisher metric is used
dim n = 3, r = 2, m = 2

# All of it: a range argument gives exactly the laws of gradient flow.
model natural_full
param U[n, r], V[m, r]
map phi = U @ V.T
metric fisher(full)
law balance = U.T @ U - V.T @ V
expect laws = r*(r + 1)/2
expect complete

# One block a layer: a single law for any widths.
model natural_blocks
param U[n, r], V[m, r]
map phi = U @ V.T
metric fisher(blocks)
law volume = log(det(U.T @ U)) - log(det(V.T @ V))
expect laws = 1
expect complete

# Blocks with damping: the law moves with it.
model natural_blocks_damped
const lam = 3
param U[n, r], V[m, r]
map phi = U @ V.T
metric fisher(blocks, damping = lam)
law volume = log(det(U.T @ U + lam*eye(r))) - log(det(V.T @ V + lam*eye(r)))
expect laws = 1
expect complete

# The diagonal alone: one law for each neuron.
model natural_diagonal
param U[n, r], V[m, r]
map phi = U @ V.T
metric fisher(diagonal)
law ratio = log(sum(U**2, axis=0)) - log(sum(V**2, axis=0))
expect laws = r
expect complete
