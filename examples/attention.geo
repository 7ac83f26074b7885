# examples/attention.geo: queries balance keys and values balance outputs in an attention head
# From Marcotte, Gribonval, Peyré, Transformative or Conservative? (arXiv 2506.06194).
model attention_head

dim d = 3, r = 2
param Q[d, r], K[d, r], V[d, r], O[d, r]

map phi = [Q @ K.T, V @ O.T]

law queries_keys = Q.T @ Q - K.T @ K
law values_outputs = V.T @ V - O.T @ O
expect laws = r*(r + 1)
expect complete
