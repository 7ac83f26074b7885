# An attention head after RMS normalization: a gain balances the rows of all weights that read it
# source: computed here
use "std/attention.geo"
dim n = 3, r = 2

# count: r*(r + 1) + n, n of them for the gains
model normalized_attention
param g[n], Q[n, r], K[n, r], V[n, r], O[n, r]
input X[3, n]
network f = attention(Q, K, V, O, rms_norm(X, g))
law queries_keys = Q.T @ Q - K.T @ K
law values_outputs = V.T @ V - O.T @ O
law gains = sum(Q**2, axis=1) + sum(K**2, axis=1) + sum(V**2, axis=1) - g**2
expect laws = r*(r + 1) + n
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }

# count: r*(r + 1)/2 + n, n of them for the gains, which only queries and keys read here
model normalized_scores
param g[n], Q[n, r], K[n, r]
input X[3, n]
network f = softmax((rms_norm(X, g) @ Q) @ (rms_norm(X, g) @ K).T, axis=1)
law queries_keys = Q.T @ Q - K.T @ K
law gains = sum(Q**2, axis=1) + sum(K**2, axis=1) - g**2
expect laws = r*(r + 1)/2 + n
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
