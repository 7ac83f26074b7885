# meant the accelerated flow of a mirror metric, and gave none
param U[4, 2] > 0, V[3, 2] > 0
map phi = U @ V.T
flow order 2 damping 3/t accelerated
