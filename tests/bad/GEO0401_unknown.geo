# meant euclidean
param U[3]
map phi = U*sum(U)
metric euclidian
