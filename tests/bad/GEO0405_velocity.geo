# meant momentum, and wrote rmsprop
param U[2, 2], V[2, 2]
map phi = U @ V.T
flow rmsprop(b2 = 1/10)
law angular = U.T @ U' - U'.T @ U
