# meant dim n = 10
dim n = 0
param U[n, 3]
map phi = U
