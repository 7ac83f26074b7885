# Activations that are not homogeneous: no law at all
# source: computed here
dim n = 2, h = 3, m = 2

# count: 0
model tanh_layer
param W1[h, n], b1[h], W2[m, h], b2[m]
input x[n]
network g = W2 @ tanh(W1 @ x + b1) + b2
expect no laws
verify { loss squared; data gaussian(4); trials 2; time 1 }

# count: 0
model gelu_layer
param W1[h, n], b1[h], W2[m, h], b2[m]
input x[n]
network g = W2 @ gelu(W1 @ x + b1) + b2
expect no laws
verify { loss squared; data gaussian(4); trials 2; time 1 }
