# meant to write a map too
param U[3]
law h = sum(U)
