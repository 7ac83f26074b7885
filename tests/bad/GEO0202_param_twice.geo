# meant V[5, 3]
param U[4, 3], U[5, 3]
map phi = U @ U.T
