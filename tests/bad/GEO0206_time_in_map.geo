# meant a map that is the same at all times
param U[3]
map phi = t*U
