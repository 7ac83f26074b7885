# meant c = 1
const c = 0
param U[3]
map phi = U/c
