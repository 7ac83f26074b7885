# A transformer block: attention with two heads and a ReLU layer, each after RMS normalization and with a skip
# count: heads*r*(r + 1) + h + 2*n, those of the heads, one per hidden neuron, one per gain
# source: computed here
model transformer_block
use "std/attention.geo"
use "std/layers.geo"
dim n = 8, heads = 2, r = n/heads, h = 12
param Q[k in 1..heads][n, r], K[k in 1..heads][n, r], V[k in 1..heads][n, r], O[k in 1..heads][n, r]
param g1[n], g2[n], W1[h, n], b1[h], W2[n, h], b2[n]
input X[2, n]
let A = rms_norm(X, g1)
let Y = X + sum([causal_attention(Q[k], K[k], V[k], O[k], A) for k in 1..heads], axis=0)
network f = Y + mlp(W1, b1, W2, b2, rms_norm(Y, g2))

def outgoing(B) = sum(B**2, axis=1)
law queries_keys = [Q[k].T @ Q[k] - K[k].T @ K[k] for k in 1..heads]
law values_outputs = [V[k].T @ V[k] - O[k].T @ O[k] for k in 1..heads]
law attention_gains = (
    g1**2
    - sum([outgoing(Q[k]) + outgoing(K[k]) + outgoing(V[k]) for k in 1..heads], axis=0)
)
law neurons = sum(W1**2, axis=1) + b1**2 - sum(W2**2, axis=0)
law layer_gains = g2**2 - sum(W1**2, axis=0)
expect laws = heads*r*(r + 1) + h + 2*n
expect laws of Q[1], K[1] = r*(r + 1)/2
expect laws of W1, b1, W2 = h
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
