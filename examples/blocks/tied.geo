# Tied weights: one matrix in two places
# source: computed here

# count: 0
model tied_autoencoder
dim n = 3, r = 2
param W[r, n]
input x[n]
network f = W.T @ W @ x
expect no laws
verify { loss squared; data gaussian(4); trials 2; time 1 }

# count: 0
model tied_relu_autoencoder
dim n = 3, r = 2
param W[r, n], b[r], c[n]
input x[n]
network f = W.T @ relu(W @ x + b) + c
expect no laws
verify { loss squared; data gaussian(4); trials 2; time 1 }

# count: r*(r + 1)/2
model tied_embeddings
dim words = 4, r = 2
param E[words, r], M[r, r]
input tokens[2] below words
network logits = embedding(E, tokens) @ M @ E.T
law balance = E.T @ E - M @ M.T - M.T @ M
expect laws = r*(r + 1)/2
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
