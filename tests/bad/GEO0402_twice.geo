# meant on V
param U[4, 3], V[5, 3]
map phi = U @ V.T
metric scaled(1/10) on U
metric scaled(1/5) on U
