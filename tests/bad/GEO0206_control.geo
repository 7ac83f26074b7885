# meant the energy of the state alone
param x, p
control a
field x' = p
field p' = a - x
law energy = x**2 + p**2 - 2*a*x
