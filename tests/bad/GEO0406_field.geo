# meant a field for the momentum too
param x, p
control a
field x' = p + a
