# meant one flow
param U[3]
map phi = U*sum(U)
flow order 1
flow order 2
