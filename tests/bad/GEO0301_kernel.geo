# meant a kernel for the two channels that there are
param K[4, 3, 5]
input x[2, 16]
network g = conv1d(x, K)
