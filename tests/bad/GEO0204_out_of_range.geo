# meant W[1]
param W[l in 1..2][3, 3]
map phi = W[2] @ W[0]
