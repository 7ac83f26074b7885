# meant another name: sum is a function
param U[3]
def sum(x) = x
map phi = U
