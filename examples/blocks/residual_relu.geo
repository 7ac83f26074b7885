# Residual blocks with ReLU: the skip has no parameter, so a block keeps what its branch keeps
# source: arXiv 2506.06194
dim n = 3, r = 2

# count: r, one per hidden neuron
model relu_residual
param W1[r, n], b1[r], W2[n, r], b2[n]
input x[n]
network g = x + W2 @ relu(W1 @ x + b1) + b2
law neuron = sum(W1**2, axis=1) + b1**2 - sum(W2**2, axis=0)
expect laws = r
expect complete
verify { loss squared; data gaussian(4); trials 3; time 1 }

# count: 2*r, one per hidden neuron
model relu_residual_twice
param W[k in 1..2][r, n], b[k in 1..2][r], U[k in 1..2][n, r]
input x[n]
network g = chain(h = x; k in 1..2: h + U[k] @ relu(W[k] @ h + b[k]))
law first = sum(W[1]**2, axis=1) + b[1]**2 - sum(U[1]**2, axis=0)
law second = sum(W[2]**2, axis=1) + b[2]**2 - sum(U[2]**2, axis=0)
expect laws = 2*r
expect laws of W[1], b[1], U[1] = r
expect complete
verify { loss squared; data gaussian(4); trials 3; time 1 }
