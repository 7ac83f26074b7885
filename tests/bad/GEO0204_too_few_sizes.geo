# meant dim d[0..2]
dim d[0..3] = [2, 5, 1]
param U[d[0], d[1]]
map phi = U
