# meant U @ V.T, then V in the law, then a closed bracket
param U[4, 3], V[5, 3]
map phi = U @ V
law h = U.T @ U - W.T @ W
expect laws = (3
