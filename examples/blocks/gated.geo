# Gated layers whose gate lets a scale pass: two laws per hidden neuron
# source: computed here
use "std/layers.geo"
dim n = 2, h = 2, m = 2

# count: 2*h
model reglu
param W[h, n], V[h, n], O[m, h]
input x[n]
network f = O @ (relu(W @ x)*(V @ x))
law gates = sum(W**2, axis=1) - sum(O**2, axis=0)
law values = sum(V**2, axis=1) - sum(O**2, axis=0)
expect laws = 2*h
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }

# count: 2*h
model bilinear_layer
param W[h, n], V[h, n], O[m, h]
input x[n]
network f = bilinear(W, V, O, x)
law gates = sum(W**2, axis=1) - sum(O**2, axis=0)
law values = sum(V**2, axis=1) - sum(O**2, axis=0)
expect laws = 2*h
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
