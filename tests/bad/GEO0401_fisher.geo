# meant `blocks`
param U[4, 2], V[3, 2]
map phi = U @ V.T
metric fisher(block, damping = 1/10)
