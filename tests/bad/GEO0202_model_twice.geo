# meant two names
model a
param U[2]
map phi = U
model a
param U[3]
map phi = U
