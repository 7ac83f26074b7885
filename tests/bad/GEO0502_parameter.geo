# meant a constant exponent
param U[3], V[3]
map phi = U**V
