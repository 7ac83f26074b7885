# meant 1..3
dim n = 2
param U[n], V[n]
map phi = U*V
sweep n in 3..1
