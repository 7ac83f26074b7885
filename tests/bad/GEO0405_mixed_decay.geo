# meant one kind of decay for both
param U[4, 2], V[3, 2]
map phi = U @ V.T
decay 1/10 on U coupled
decay 1/10 on V decoupled
