# Normalization after a layer: its weights are scale-invariant and keep their size, gains balance the weights after it
# For three entries or more: of two, layer normalization keeps a sign.
# source: computed here
dim n = 3, h = 3, m = 2

# count: 1 + n + h, the size of all weights, their column sums, one per gain
model layer_norm_after
param W[h, n], g[h], b[h], U[m, h]
input x[n]
network f = U @ relu(layer_norm(W @ x, g, b))
law size = sum(W**2)
law columns = sum(W, axis=0)
law gains = g**2 + b**2 - sum(U**2, axis=0)
expect laws = 1 + n + h
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }

# count: 1 + h, the size of all weights, one per gain
model rms_norm_after
param W[h, n], g[h], U[m, h]
input x[n]
network f = U @ relu(rms_norm(W @ x, g))
law size = sum(W**2)
law gains = g**2 - sum(U**2, axis=0)
expect laws = 1 + h
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
