# A deep ReLU network: every hidden neuron of every layer has its own law
# count: d[1] + d[2] + d[3], one per hidden neuron
# source: arXiv 2307.00144
model deep_relu
dim d[0..4] = [2, 3, 3, 3, 2]
param W[l in 1..4][d[l], d[l-1]], b[l in 1..4][d[l]]
input x[d[0]]
network g = W[4] @ chain(h = x; l in 1..3: relu(W[l] @ h + b[l])) + b[4]
law first = sum(W[1]**2, axis=1) + b[1]**2 - sum(W[2]**2, axis=0)
law second = sum(W[2]**2, axis=1) + b[2]**2 - sum(W[3]**2, axis=0)
law third = sum(W[3]**2, axis=1) + b[3]**2 - sum(W[4]**2, axis=0)
expect laws = d[1] + d[2] + d[3]
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
