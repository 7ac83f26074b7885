# meant a rational map
param U[3]
let E = exp(U)
map phi = E*U
