# meant one of the two
param W[3, 3]
input x[3]
map phi = W @ W
network g = W @ W @ x
