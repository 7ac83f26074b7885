# meant decoupled decay, and in a flow of order 2 did not say so
param U[4, 2], V[3, 2]
map phi = U @ V.T
flow order 2 damping 1
decay 1/10
