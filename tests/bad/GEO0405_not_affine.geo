# meant a force, and squared it
param x, y
control a
field x' = y
field y' = a**2
