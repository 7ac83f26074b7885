# meant another file, not this one
use "GEO0110_circle.geo"
param U[3]
map phi = U
