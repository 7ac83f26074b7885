# Leaky ReLU: homogeneous like ReLU, so the same laws, with a fixed slope or a learned one
# source: computed here
dim n = 3, h = 3, m = 2

# count: h, one per hidden neuron
model leaky_relu
param W1[h, n], b1[h], W2[m, h]
input x[n]
network g = W2 @ leaky_relu(W1 @ x + b1, 1/10)
law neuron = sum(W1**2, axis=1) + b1**2 - sum(W2**2, axis=0)
expect laws = h
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }

# count: h, one per hidden neuron; the slopes are in none
model learned_slopes
param W1[h, n], slope[h], W2[m, h]
input x[n]
network g = W2 @ leaky_relu(W1 @ x, slope)
law neuron = sum(W1**2, axis=1) - sum(W2**2, axis=0)
expect laws = h
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
