# Recurrent networks, unrolled over the steps of a sequence
# source: computed here
dim T = 4, n = 2, m = 2

# count: s*(s + 1)/2 for a state of size s
model linear_rnn
dim s = 2
param A[s, s], B[s, n], C[m, s]
input X[T, n]
network y = C @ chain(h = B @ X[0]; t0 in 1..T-1: A @ h + B @ X[t0])
law balance = B @ B.T + A @ A.T - A.T @ A - C.T @ C
expect laws = s*(s + 1)/2
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }

# count: s, one per neuron of the state
model relu_rnn
dim s = 3
param A[s, s], B[s, n], b[s], C[m, s]
input X[T, n]
network y = C @ chain(h = relu(B @ X[0] + b); t0 in 1..T-1: relu(A @ h + B @ X[t0] + b))
law neuron = sum(B**2, axis=1) + b**2 + sum(A**2, axis=1) - sum(A**2, axis=0) - sum(C**2, axis=0)
expect laws = s
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
