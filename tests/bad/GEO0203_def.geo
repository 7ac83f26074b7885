# meant a recursion, which the language does not have
param U[3]
def f(x) = f(x) + 1
map phi = f(U)
