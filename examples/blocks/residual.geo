# Residual blocks: the skip has no parameter, so a block keeps what its branch keeps
# source: arXiv 2506.06194
dim n = 3, r = 2

# count: r*(r + 1)/2
model linear_residual
param W1[r, n], W2[n, r]
input x[n]
network g = x + W2 @ W1 @ x
law balance = W1 @ W1.T - W2.T @ W2
expect laws = r*(r + 1)/2
expect complete
verify { loss squared; data gaussian(4); trials 3; time 1 }

# count: r*(r + 1), both branches
model linear_residual_twice
param W1[r, n], W2[n, r], W3[r, n], W4[n, r]
input x[n]
network g = chain(h = x; k in 0..1: h + [W2, W4][k] @ [W1, W3][k] @ h)
law first = W1 @ W1.T - W2.T @ W2
law second = W3 @ W3.T - W4.T @ W4
expect laws = r*(r + 1)
expect complete
verify { loss squared; data gaussian(4); trials 3; time 1 }
