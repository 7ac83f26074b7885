# meant adam with both rates
param U[4, 2], V[3, 2]
map phi = U @ V.T
flow adam(b1 = 1/10)
