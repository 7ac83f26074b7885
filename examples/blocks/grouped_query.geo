# Grouped-query attention: all query heads of a group balance its one key head
# count: groups*r*(r + 1)
# source: computed here
model grouped_query_attention
use "std/attention.geo"
dim n = 3, r = 2, groups = 2, heads = 2
param Q[groups, heads, n, r], K[groups, n, r], V[groups, n, r], O[groups, heads, n, r]
input X[3, n]
network f = grouped_query(Q, K, V, O, X)
def gram(A) = einsum("gnr,gns->grs", A, A)
def gram_of_heads(A) = einsum("ghnr,ghns->grs", A, A)
law queries_keys = gram_of_heads(Q) - gram(K)
law values_outputs = gram(V) - gram_of_heads(O)
expect laws = groups*r*(r + 1)
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
