# Low-rank adaptation: a frozen matrix and a product that is trained
# source: arXiv 2307.00144, for the product

# count: r*(r + 1)/2
model lora
dim n = 4, r = 2, m = 3
param A[r, n], B[m, r]
input x[n]
let W0 = [[1, 2, 0, -1], [3, 1, -2, 1], [0, 1, 1, 2]]
network f = (W0 + B @ A) @ x
law balance = A @ A.T - B.T @ B
expect laws = r*(r + 1)/2
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
