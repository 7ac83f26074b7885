# A softmax at the end does not see a shift of all logits: the column sums of the last layer stay
# source: computed here
dim n = 2, h = 2, classes = 3

# count: 2*h + 1, one per hidden neuron, the column sums of W2, the sum of b2
model softmax_head
param W1[h, n], b1[h], W2[classes, h], b2[classes]
input x[n]
network p = softmax(W2 @ relu(W1 @ x + b1) + b2)
law neuron = sum(W1**2, axis=1) + b1**2 - sum(W2**2, axis=0)
law columns = sum(W2, axis=0)
law bias = sum(b2)
expect laws = 2*h + 1
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }

# count: 2*h + 1, as with a softmax at the end
model cross_entropy_head
param W1[h, n], b1[h], W2[classes, h], b2[classes]
input x[n]
network logits = W2 @ relu(W1 @ x + b1) + b2
loss cross_entropy
law neuron = sum(W1**2, axis=1) + b1**2 - sum(W2**2, axis=0)
law columns = sum(W2, axis=0)
law bias = sum(b2)
expect laws = 2*h + 1
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
