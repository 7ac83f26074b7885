# meant squared
param U[3]
map phi = U*sum(U)
verify { loss sqared; time 5 }
