# meant a file that is there
use "no_such_file.geo"
param U[n]
map phi = U
