# meant flow order 2
param U[4, 3], V[5, 3]
map phi = U @ V.T
law h = U.T @ U' - U'.T @ U
