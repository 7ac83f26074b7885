# meant fewer models
dim n = 2, r = 1
param U[n, r], V[n, r]
map phi = U*V
sweep n in 1..1000, r in 1..100
