# meant a power of the gradient that keeps its sign
param x[2], y[2]
flow sign(2)
map phi = x*y
