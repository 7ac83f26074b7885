# examples/steering.geo: control systems written out, for geometry beyond training

# A unicycle goes ahead or turns, and reaches everything. u is the tangent of half its heading.
model unicycle
param x, y, u
control ahead
control turn
field x' = ahead*(1 - u**2)/(1 + u**2)
field y' = ahead*2*u/(1 + u**2)
field u' = turn*(1 + u**2)/2
expect no laws

# A satellite turns by its wheels: the length of its angular momentum stays.
model rigid_body
param L[3]
control a[3]
let omega = [L[0] + a[0], L[1]/2 + a[1], L[2]/3 + a[2]]
field L' = [
    L[1]*omega[2] - L[2]*omega[1],
    L[2]*omega[0] - L[0]*omega[2],
    L[0]*omega[1] - L[1]*omega[0],
]
law length = sum(L**2)
expect laws = 1
expect complete

# Nothing is controlled: the energy stays.
model oscillator
const k = 4
param x, p
field x' = p
field p' = -k*x
law energy = k*x**2 + p**2
expect laws = 1
expect complete
