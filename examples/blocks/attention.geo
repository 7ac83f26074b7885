# Attention: a head balances queries with keys, and values with outputs
# source: arXiv 2506.06194; masks, several heads and biases computed here
use "std/attention.geo"
dim n = 3, r = 2

# count: r*(r + 1)
model attention_head
param Q[n, r], K[n, r], V[n, r], O[n, r]
input X[3, n]
network f = attention(Q, K, V, O, X)
law queries_keys = Q.T @ Q - K.T @ K
law values_outputs = V.T @ V - O.T @ O
expect laws = r*(r + 1)
expect laws of Q, K = r*(r + 1)/2
expect complete
verify { loss squared; data gaussian(4); trials 1; time 1 }

# count: r*(r + 1)
model causal_head
param Q[n, r], K[n, r], V[n, r], O[n, r]
input X[3, n]
network f = causal_attention(Q, K, V, O, X)
law queries_keys = Q.T @ Q - K.T @ K
law values_outputs = V.T @ V - O.T @ O
expect laws = r*(r + 1)
expect complete
verify { loss squared; data gaussian(4); trials 1; time 1 }

# count: heads*r*(r + 1)
model two_heads
dim heads = 2
param Q[heads, n, r], K[heads, n, r], V[heads, n, r], O[heads, n, r]
input X[3, n]
network f = multi_head(Q, K, V, O, X)
def gram(A) = einsum("hnr,hns->hrs", A, A)
law queries_keys = gram(Q) - gram(K)
law values_outputs = gram(V) - gram(O)
expect laws = heads*r*(r + 1)
expect complete
verify { loss squared; data gaussian(4); trials 1; time 1 }

# count: r*(r + 1) + r: the softmax does not see the bias of the keys, which stays
model attention_biases
param Q[n, r], bQ[r], K[n, r], bK[r], V[n, r], bV[r], O[n, r], bO[n]
input X[3, n]
let scores = (X @ Q + bQ) @ (X @ K + bK).T/size(Q, 1)**(1/2)
network f = softmax(scores, axis=1) @ (X @ V + bV) @ O.T + bO
law queries_keys = Q.T @ Q + outer(bQ, bQ) - K.T @ K
law values_outputs = V.T @ V + outer(bV, bV) - O.T @ O
law key_bias = bK
expect laws = r*(r + 1) + r
expect complete
verify { loss squared; data gaussian(4); trials 1; time 1 }
