# Normalization before a layer: a gain balances the weights that read it
# For three entries or more: of two, layer normalization keeps a sign.
# source: computed here
dim n = 3, m = 2

# count: n, one per gain
model layer_norm_before
param g[n], b[n], W[m, n], c[m]
input x[n]
network f = W @ layer_norm(x, g, b) + c
law gains = g**2 + b**2 - sum(W**2, axis=0)
expect laws = n
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }

# count: n, one per gain
model rms_norm_before
param g[n], W[m, n]
input x[n]
network f = W @ rms_norm(x, g)
law gains = g**2 - sum(W**2, axis=0)
expect laws = n
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
