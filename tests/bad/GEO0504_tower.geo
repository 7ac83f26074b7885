# meant 10**10
param U[3]
map phi = U ** (10 ** 10 ** 10)
