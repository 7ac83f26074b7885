# Attention with rotary positions: only the turns and the scale of a plane commute with its rotations
# count: r/2 + r*(r + 1)/2, one per plane of queries and keys, those of values and outputs
# source: computed here
model rotary_attention_head
use "std/attention.geo"
dim n = 4, r = 4
param Q[n, r], K[n, r], V[n, r], O[n, r]
input X[3, n]
network f = rotary_attention(Q, K, V, O, X)
def planes(A) = sum(reshape(sum(A**2, axis=0), (r/2, 2)), axis=1)
law queries_keys = planes(Q) - planes(K)
law values_outputs = V.T @ V - O.T @ O
expect laws = r/2 + r*(r + 1)/2
expect laws of Q, K = r/2
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
