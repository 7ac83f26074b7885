# examples/diagonal.geo: two parametrizations of a diagonal linear network, and what each keeps
# They differ by a rotation (arXiv 2307.00144): u*v keeps u**2 - v**2, and u*u - v*v keeps u*v.
dim n = 4

model diagonal_product
param u[n], v[n]
map phi = u*v
law differences = u**2 - v**2
expect laws = n
expect complete

model diagonal_squares
param u[n], v[n]
map phi = u*u - v*v
law products = u*v
expect laws = n
expect complete
