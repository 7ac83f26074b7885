# examples/cross_entropy.geo: softmax cross-entropy also keeps the column sums of the last layer
# Its gradients sum to 0 over the classes, the last axis of phi: adding a vector to all rows of W2 changes no loss.
model classifier

dim classes = 3, r = 2, m = 2
param W2[classes, r], W1[r, m]

map phi = (W2 @ W1).T  # a row for each input

loss cross_entropy

law balance = W1 @ W1.T - W2.T @ W2
law sums = sum(W2, axis=0)
expect laws = r*(r + 1)/2 + r
expect complete
