# meant below the model
param V[3]
model m
param U[3]
map phi = U*sum(U)
