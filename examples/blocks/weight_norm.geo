# Weight normalization: rows are directions v with lengths g
# count: 2*h, per hidden neuron the size of v, and its length
# source: computed here
model weight_norm
dim n = 3, h = 3, m = 2
param v[h, n], g[h], b[h], U[m, h]
input x[n]
network f = U @ relu(g*(v @ x)/norm(v, axis=1) + b)
law sizes = sum(v**2, axis=1)
law neuron = g**2 + b**2 - sum(U**2, axis=0)
expect laws = 2*h
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
