# meant U.T @ U - V.T @ V
param U[4, 3], V[5, 3]
map phi = U @ V.T
law h = U @ U.T - V @ V.T
