# examples/riemannian.geo: a metric written out as a matrix on the flattened parameters
# M = diag(1/(1 + theta**2)) stretches large weights; the balance of squares becomes one of logarithms.
model curved

dim n = 2, r = 2, m = 2
param U[n, r], V[m, r]

map phi = U @ V.T

let u = reshape(U, [n*r])
let v = reshape(V, [m*r])
metric riemannian(diag(1/(1 + u**2))) on U
metric riemannian(diag(1/(1 + v**2))) on V

law balance = sum(log(1 + U**2), axis=0) - sum(log(1 + V**2), axis=0)
expect laws = r
expect complete
