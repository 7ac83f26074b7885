# meant `gates real`
param W[3, 3]
input x[3]
network g = relu(W @ x)
gates true
