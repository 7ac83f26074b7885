# meant U in the map
param U[3]
map phi = [1, 2]
