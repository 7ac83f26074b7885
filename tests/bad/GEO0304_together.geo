# meant smaller layers
param W[l in 1..3][2000, 2000]
map phi = W[1] @ W[2] @ W[3]
