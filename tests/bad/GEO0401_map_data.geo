# meant no data, which a map has not
param U[2, 2], V[2, 2]
map phi = U @ V.T
metric fisher(blocks, data = gaussian)
