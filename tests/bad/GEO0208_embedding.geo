# meant tokens, or a product
param E[6, 3]
input X[4, 6]
network g = embedding(E, X)
