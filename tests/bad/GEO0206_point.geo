# meant a value for V as well
param U[2, 2], V[2, 2]
map phi = U @ V.T
at {U = eye(2)}
