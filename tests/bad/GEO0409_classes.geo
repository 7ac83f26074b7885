# meant cross_entropy
param u[3], v[3]
map phi = u*v
loss cross_entrpy
