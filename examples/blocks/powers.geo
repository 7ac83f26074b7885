# Activations that are homogeneous of degree k: a neuron keeps |in|² - k |out|²
# source: computed here
dim n = 2, h = 3, m = 2

# count: h, one per hidden neuron (k = 2)
model relu_squared
param W1[h, n], b1[h], W2[m, h]
input x[n]
network g = W2 @ relu(W1 @ x + b1)**2
law neuron = sum(W1**2, axis=1) + b1**2 - 2*sum(W2**2, axis=0)
expect laws = h
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }

# count: h, one per hidden neuron (k = 3)
model cubes
param W1[h, n], W2[m, h]
input x[n]
network g = W2 @ (W1 @ x)**3
law neuron = sum(W1**2, axis=1) - 3*sum(W2**2, axis=0)
expect laws = h
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
