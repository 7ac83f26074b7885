# meant order 2
param U[3]
map phi = U*sum(U)
flow order 3
