# meant 1/10
param U[3]
map phi = U*sum(U)
metric scaled(-1/10)
