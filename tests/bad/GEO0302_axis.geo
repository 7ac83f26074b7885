# meant axis=1
param U[3, 2]
map phi = sum(U, axis=2)
