# Two-layer perceptrons with ReLU: what goes into a hidden neuron balances what goes out
# source: arXiv 2307.00144
dim n = 3, h = 4, m = 2

# count: h, one per hidden neuron
model mlp
param W1[h, n], W2[m, h]
input x[n]
network g = W2 @ relu(W1 @ x)
law neuron = sum(W1**2, axis=1) - sum(W2**2, axis=0)
expect laws = h
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }

# count: h, one per hidden neuron
model mlp_biases
param W1[h, n], b1[h], W2[m, h], b2[m]
input x[n]
network g = W2 @ relu(W1 @ x + b1) + b2
law neuron = sum(W1**2, axis=1) + b1**2 - sum(W2**2, axis=0)
expect laws = h
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
