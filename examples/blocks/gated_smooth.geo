# Gated layers with a smooth gate: one law per hidden neuron, of what passes the gate
# source: computed here
use "std/layers.geo"
dim n = 2, h = 2, m = 2

# count: h
model swiglu_layer
param W[h, n], V[h, n], O[m, h]
input x[n]
network f = swiglu(W, V, O, x)
law values = sum(V**2, axis=1) - sum(O**2, axis=0)
expect laws = h
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }

# count: h
model geglu_layer
param W[h, n], V[h, n], O[m, h]
input x[n]
network f = geglu(W, V, O, x)
law values = sum(V**2, axis=1) - sum(O**2, axis=0)
expect laws = h
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
