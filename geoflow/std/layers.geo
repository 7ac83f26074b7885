# Layers. A datum is a vector x[n], or a matrix of tokens X[T, n] with one token a row; the matrix of a layer is
# W[out, in], as in PyTorch, so that every layer takes both.

def linear(W, x) = x @ W.T
def affine(W, b, x) = x @ W.T + b

# one hidden layer
def mlp(W1, b1, W2, b2, x) = affine(W2, b2, relu(affine(W1, b1, x)))
def mlp_gelu(W1, b1, W2, b2, x) = affine(W2, b2, gelu(affine(W1, b1, x)))

# gated layers: one matrix makes the gate, one what passes it
def glu(W, V, O, x) = linear(O, sigmoid(linear(W, x))*linear(V, x))
def swiglu(W, V, O, x) = linear(O, silu(linear(W, x))*linear(V, x))
def geglu(W, V, O, x) = linear(O, gelu(linear(W, x))*linear(V, x))
def bilinear(W, V, O, x) = linear(O, linear(W, x)*linear(V, x))

# x and what a layer makes of it
def residual(W1, W2, x) = x + linear(W2, relu(linear(W1, x)))
def residual_mlp(W1, b1, W2, b2, x) = x + mlp(W1, b1, W2, b2, x)
