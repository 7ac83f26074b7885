# meant a symmetric matrix
param u, v
map phi = u*v
metric riemannian([[2, 1], [0, 2]])
