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

# A narrow chain: the block of A has 4 rows and rank 2, and is inverted on its range.
model narrow_chain
param A[2, 2], B[2, 1], C[1, 2]
map phi = A @ B @ C
metric fisher(blocks)
law first = log(det(A.T @ A)) - log(sum(B**2))
law second = log(sum((A @ B)**2)) - 2*log(sum(C**2))
expect laws = 2
expect complete

# Coin flips: the information of the output differs from entry to entry, and costs the law.
model natural_bernoulli
param U[n, 1], V[m, 1]
map phi = U @ V.T
metric fisher(blocks, output = bernoulli)
expect no laws
