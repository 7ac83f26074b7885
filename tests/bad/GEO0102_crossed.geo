# meant (U + U)
param U[3]
map phi = (U + U]
