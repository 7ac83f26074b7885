# meant param U[3, 2]
param U[3, 2
map phi = U
