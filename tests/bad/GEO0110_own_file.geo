# meant "std/attention.geo"
use "std/atention.geo"
param U[3]
map phi = U*sum(U)
