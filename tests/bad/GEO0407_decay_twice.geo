# meant two rates, one for each
param U[4, 2], V[3, 2]
map phi = U @ V.T
decay 1/10
decay 1/5 on V
