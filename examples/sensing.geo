# examples/sensing.geo: symmetric matrix sensing keeps nothing
# Its symmetry U -> U R is a rotation, which gives gradient flow no law (arXiv 2307.00144).
model sensing

dim n = 3, r = 2
param U[n, r]

map phi = U @ U.T

expect no laws
