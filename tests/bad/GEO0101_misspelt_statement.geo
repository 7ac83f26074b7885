# meant law
param U[3]
map phi = U * sum(U)
laws h = sum(U)
