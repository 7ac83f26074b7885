# meant weight decay, which is not supported yet
param U[4, 3], V[5, 3]
map phi = U @ V.T
decay 1/100 decoupled
