# meant one of the two
param u, v
map phi = u*v
at zero
at {u = 1, v = 2}
