# meant one `sweep` of two sizes
dim n = 2, r = 1
param U[n, r], V[n, r]
map phi = U*V
sweep n in 1..3
sweep r in 1..3
