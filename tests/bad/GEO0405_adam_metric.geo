# meant adam with a learning rate, which changes nothing in the laws
param U[4, 2], V[3, 2]
map phi = U @ V.T
flow adam(b1 = 1/10, b2 = 1/100)
metric scaled(1/10)
