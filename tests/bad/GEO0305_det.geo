# meant det(U.T @ U)
param U[4, 3]
map phi = U
law h = det(U)
