# meant sqrt
param U[3] > 0
map phi = sqr(U)
