# Convolutions with ReLU: one law per hidden channel, since a kernel acts on a whole channel
# source: arXiv 2506.06194

# count: c, one per hidden channel
model conv1d_channels
dim n = 2, c = 3, m = 2
param K1[c, n, 2], b1[c], K2[m, c, 2]
input x[n, 4]
network g = conv1d(relu(conv1d(x, K1) + reshape(b1, (c, 1))), K2)
law channel = sum(K1**2, axis=(1, 2)) + b1**2 - sum(K2**2, axis=(0, 2))
expect laws = c
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }

# count: c, one per hidden channel
model conv2d_channels
dim c = 2
param K1[c, 1, 2, 2], K2[1, c, 2, 2]
input x[1, 3, 3]
network g = conv2d(relu(conv2d(x, K1)), K2)
law channel = sum(K1**2, axis=(1, 2, 3)) - sum(K2**2, axis=(0, 2, 3))
expect laws = c
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }

# count: 1
model one_channel
param K1[1, 1, 3], K2[1, 1, 2]
input x[1, 5]
network g = conv1d(relu(conv1d(x, K1)), K2)
law channel = sum(K1**2) - sum(K2**2)
expect laws = 1
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
