# meant 10**4 entries
param U[10**8, 10**8]
map phi = U
