# Strided and separable convolutions
# source: computed here

# count: c, one per hidden channel
model strided
dim c = 3
param K1[c, 1, 3], W2[2, c, 2]
input x[1, 7]
network g = einsum("mct,ct->m", W2, relu(conv1d(x, K1, stride=2, padding=1))[:, 0:2])
law channel = sum(K1**2, axis=(1, 2)) - sum(W2**2, axis=(0, 2))
expect laws = c
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }

# count: c + m, one per channel before and after the pointwise kernel
model depthwise_separable
dim c = 2, m = 2
param D[c, 1, 2], P[m, c, 1], W[2, m, 3]
input x[c, 4]
network g = einsum("omt,mt->o", W, relu(conv1d(conv1d(x, D, groups=c), P)))
law depthwise = sum(D**2, axis=(1, 2)) - sum(P**2, axis=(0, 2))
law pointwise = sum(P**2, axis=(1, 2)) - sum(W**2, axis=(0, 2))
expect laws = c + m
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
