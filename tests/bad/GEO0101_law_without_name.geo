# meant law balance = U.T @ U - V.T @ V
param U[3, 2], V[4, 2]
map phi = U @ V.T
law U.T @ U - V.T @ V
