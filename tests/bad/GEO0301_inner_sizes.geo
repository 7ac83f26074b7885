# meant U @ V.T
param U[4, 3], V[5, 3]
map phi = U @ V
