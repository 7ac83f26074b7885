# meant layer(W, x)
param W[3, 3], x[3]
def layer(W, x) = W @ x
map phi = layer(W)
