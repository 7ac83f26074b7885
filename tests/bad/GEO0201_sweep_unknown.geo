# meant n
dim n = 2
param U[n], V[n]
map phi = U*V
sweep m in 1..3
