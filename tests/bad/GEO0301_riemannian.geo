# meant a metric on all six entries
param U[2, 3]
map phi = U @ U.T
metric riemannian(eye(3))
