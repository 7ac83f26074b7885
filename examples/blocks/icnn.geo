# An input-convex network: nonnegative output weights with the entropy, all else Euclidean
# count: h, one per hidden neuron
# source: arXiv 2405.12888
model input_convex
dim n = 2, h = 3, m = 2
param U[m, h] >= 0, W[h, n], b[h]
input x[n]
network f = U @ relu(W @ x + b)
metric mirror(entropy) on U
law neuron = 2*sum(U, axis=0) - sum(W**2, axis=1) - b**2
expect laws = h
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
