# A mixture of linear experts: the softmax of the gate does not see a shift of all experts
# count: n, the column sums of the gate
# source: computed here
model mixture_of_experts
dim n = 2, experts = 3
param G[experts, n], W[experts, n]
input x[n]
network f = sum(softmax(G @ x)*(W @ x))
law columns = sum(G, axis=0)
expect laws = n
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
