# meant U ** 2
param U[3]
map phi = U ^ 2
