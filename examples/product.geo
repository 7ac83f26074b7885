# examples/product.geo: a product of scalars keeps all differences of squares
# The simplest deep model (arXiv 2307.00144): phi is a scalar, so D - 1 laws is exact by itself.
model product

dim D = 5
param x[D]

map phi = prod(x)

law squares = x[1:]**2 - x[0]**2
expect laws = D - 1
expect commuting
expect complete
