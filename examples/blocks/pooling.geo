# Pooling after a convolution with ReLU: homogeneous too, so one law per channel
# source: computed here
dim c = 3, m = 2

# count: c, one per channel
model max_pooling
param K[c, 1, 2], b[c], W[m, c, 2]
input x[1, 5]
network g = einsum("mct,ct->m", W, max_pool(relu(conv1d(x, K) + reshape(b, (c, 1))), 2))
law channel = sum(K**2, axis=(1, 2)) + b**2 - sum(W**2, axis=(0, 2))
expect laws = c
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }

# count: c, one per channel
model average_pooling
param K[c, 1, 2], b[c], W[m, c, 2]
input x[1, 5]
network g = einsum("mct,ct->m", W, avg_pool(relu(conv1d(x, K) + reshape(b, (c, 1))), 2))
law channel = sum(K**2, axis=(1, 2)) + b**2 - sum(W**2, axis=(0, 2))
expect laws = c
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
