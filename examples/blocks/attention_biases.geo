# Attention with biases: the softmax does not see that of the keys
# count: r*(r + 1) + r, the r biases of the keys among them
# source: computed here
model attention_biases
dim n = 3, r = 2
param Q[n, r], bQ[r], K[n, r], bK[r], V[n, r], bV[r], O[n, r], bO[n]
input X[2, n]
let scores = (X @ Q + bQ) @ (X @ K + bK).T / size(Q, 1)**(1/2)
network f = softmax(scores, axis=1) @ (X @ V + bV) @ O.T + bO
law queries_keys = Q.T @ Q + outer(bQ, bQ) - K.T @ K
law values_outputs = V.T @ V + outer(bV, bV) - O.T @ O
law key_bias = bK
expect laws = r*(r + 1) + r
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
