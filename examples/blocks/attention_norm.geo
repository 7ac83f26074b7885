# An attention head after RMS normalization: each gain balances the row of every weight that reads it
# count: r*(r + 1) + n
# source: computed here
model normalized_attention
use "std/attention.geo"
dim n = 3, r = 2
param g[n], Q[n, r], K[n, r], V[n, r], O[n, r]
input X[3, n]
network f = attention(Q, K, V, O, rms_norm(X, g))
law queries_keys = Q.T @ Q - K.T @ K
law values_outputs = V.T @ V - O.T @ O
law gains = sum(Q**2, axis=1) + sum(K**2, axis=1) + sum(V**2, axis=1) - g**2
expect laws = r*(r + 1) + n
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
