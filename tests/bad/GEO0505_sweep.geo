# meant a family of models, which is not supported yet
dim n = 2
param U[n], V[n]
map phi = U*V
sweep n in 1..6
