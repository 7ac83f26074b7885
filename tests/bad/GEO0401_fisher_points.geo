# meant a number of points
param U[2, 2], V[2, 2]
input x[2]
network g = U @ (V.T @ x)
metric fisher(blocks, data = points(1/2))
