# meant 0.5
param U[3]
map phi = .5*U
