# A diagonal state-space model, unrolled: each channel of the state has its own scale
# source: computed here
dim T = 4, n = 2, s = 3, m = 2

# count: s, one per channel of the state
model diagonal_state_space
param a[s], B[s, n], C[m, s]
input X[T, n]
network y = C @ chain(h = B @ X[0]; k in 1..T-1: a*h + B @ X[k])
law channel = sum(B**2, axis=1) - sum(C**2, axis=0)
expect laws = s
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }

# count: s, as without the parametrization of the decay
model decaying_state_space
param a[s], B[s, n], C[m, s]
input X[T, n]
network y = C @ chain(h = B @ X[0]; k in 1..T-1: sigmoid(a)*h + B @ X[k])
law channel = sum(B**2, axis=1) - sum(C**2, axis=0)
expect laws = s
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
