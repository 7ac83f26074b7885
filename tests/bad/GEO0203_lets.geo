# meant let b = 2
param U[3]
let a = b + 1
let b = a - 1
map phi = a*U
