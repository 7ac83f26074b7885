# Attention with two heads: each balances its own weights
# count: heads*r*(r + 1)
# source: computed here
model two_heads
use "std/attention.geo"
dim n = 3, r = 2, heads = 2
param Q[heads, n, r], K[heads, n, r], V[heads, n, r], O[heads, n, r]
input X[3, n]
network f = multi_head(Q, K, V, O, X)
def gram(A) = einsum("hnr,hns->hrs", A, A)
law queries_keys = gram(Q) - gram(K)
law values_outputs = gram(V) - gram(O)
expect laws = heads*r*(r + 1)
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
