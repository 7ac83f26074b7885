# meant 3*U
param U[3]
map phi = 3U
