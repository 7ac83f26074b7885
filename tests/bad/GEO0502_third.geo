# meant a square root
param U[3] > 0
map phi = U**(1/3)
