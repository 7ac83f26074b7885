# meant the widest range, with `when`
dim n = 2, r = 1
param U[n, r], V[n, r]
map phi = U*V
sweep n in 1..3, r in 1..n
