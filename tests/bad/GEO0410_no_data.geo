# meant `map`: nothing here is data
param W[3, 3]
network g = W @ W
