# meant a 2×3 matrix
param U[2, 3]
map phi = U @ U.T
at {U = eye(2)}
