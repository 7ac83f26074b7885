# meant a law of the weights
param W[3, 3], v[3]
input x[3]
network g = v @ relu(W @ x)
law h = sum((W @ x)**2) - sum(v**2)
