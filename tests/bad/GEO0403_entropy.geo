# meant param U[4, 3] > 0
param U[4, 3], V[5, 3] > 0
map phi = U @ V.T
metric mirror(entropy)
