# meant polynomial(2)
param U[3]
map phi = U*sum(U)
search polynomial
