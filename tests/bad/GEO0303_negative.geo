# meant n + 1
dim n = 1
param U[n - 2]
map phi = U
