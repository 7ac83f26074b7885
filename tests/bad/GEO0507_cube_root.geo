# meant power(3)
param U[3] > 0
map phi = U*sum(U)
metric mirror(power(1/3))
