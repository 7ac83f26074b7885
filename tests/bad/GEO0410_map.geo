# meant `network`: a map is a function of the parameters alone
param W[3, 3]
input x[3]
map g = W @ x
