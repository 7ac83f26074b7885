# examples/rms.geo: what normalization layers keep
# A gain balances the row it feeds; a normalized weight keeps its length (arXiv 2012.04728).
dim n = 3, m = 2

model rms_gain
param g[n], W[n, m]
map phi = diag(g) @ W
law gains = g**2 - sum(W**2, axis=1)
expect laws = n
expect complete

model normalized
param w[n]
map phi = w/norm(w)
law length = sum(w**2)
expect laws = 1
expect complete
