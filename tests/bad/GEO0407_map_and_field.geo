# meant a system written out, and gave a map too
param x, y
field x' = y
field y' = -x
map phi = x*y
