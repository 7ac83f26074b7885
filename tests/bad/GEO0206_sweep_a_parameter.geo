# meant a size, not a parameter
dim n = 2
param U[n], V[n]
map phi = U*V
sweep U in 1..3
