# meant U @ V.T
param U[3, 2], V[4, 2]
map phi = U @
