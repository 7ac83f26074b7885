# meant a network, which is not supported yet
param W[3, 3]
network g = W @ W
