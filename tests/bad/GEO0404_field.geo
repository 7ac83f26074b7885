# meant the momentum, which the field of x says
param x, p
field x' = p
field p' = -x
law energy = x**2 + x'**2
