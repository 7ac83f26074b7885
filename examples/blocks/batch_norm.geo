# Batch normalization: the weights before it are scale-invariant and keep their size, gains balance the weights after it
# count: 3*h, per neuron the size of its weights, its bias, its gain
# source: computed here
model batch_norm_after
dim n = 3, h = 3, m = 2
param W[h, n], a[h], g[h], b[h], U[m, h]
input X[4, n]
network f = relu(batch_norm(X @ W.T + a, g, b)) @ U.T
law sizes = sum(W**2, axis=1)
law biases = a
law gains = g**2 + b**2 - sum(U**2, axis=0)
expect laws = 3*h
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
