# meant axis
param U[3, 2]
map phi = sum(U, axes=0)
