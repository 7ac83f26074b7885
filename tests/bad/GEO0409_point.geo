# meant a positive point
param U[2] > 0
map phi = U*sum(U)
at {U = [1, 0]}
