# Attention: a head balances queries with keys, and values with outputs
# source: arXiv 2506.06194; with a mask, computed here
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
verify { loss squared; data gaussian(4); trials 2; time 1 }

# count: r*(r + 1)
model causal_head
param Q[n, r], K[n, r], V[n, r], O[n, r]
input X[3, n]
network f = causal_attention(Q, K, V, O, X)
law queries_keys = Q.T @ Q - K.T @ K
law values_outputs = V.T @ V - O.T @ O
expect laws = r*(r + 1)
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
