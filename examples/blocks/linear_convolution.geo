# Convolutions with nothing in between: channels balance like the rows of matrices
# count: c*(c + 1)/2, as for matrices, where nothing is between the convolutions
# source: arXiv 2506.06194
model linear_convolutions
dim n = 2, c = 2, m = 2
param K1[c, n, 2], K2[m, c, 2]
input x[n, 4]
network g = conv1d(conv1d(x, K1), K2)
law balance = einsum("anx,bnx->ab", K1, K1) - einsum("max,mbx->ab", K2, K2)
expect laws = c*(c + 1)/2
expect complete
verify { loss squared; data gaussian(4); trials 2; time 1 }
