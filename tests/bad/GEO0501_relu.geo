# meant the path-lifting of the network
param U[3], V[3]
map phi = V*relu(U)
