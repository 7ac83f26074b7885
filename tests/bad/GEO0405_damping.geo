# meant a damping of the time
param U[3]
map phi = U*sum(U)
flow order 2 damping sum(U)
