# Attention over X[T, n], one token a row. A head has Q[n, r], K[n, r], V[n, r], O[n, r]: the scores see Q @ K.T, the
# values V @ O.T. Several heads are one array with a first axis more, Q[heads, n, r].

def _scores(Q, K, X) = (X @ Q) @ (X @ K).T / size(Q, 1)**(1/2)

def attention(Q, K, V, O, X) = softmax(_scores(Q, K, X), axis=1) @ (X @ V) @ O.T

# no token sees a later one: weights above the diagonal are 0 and the others sum to 1
def _masked(E) = E*tril(size(E, 0))
def _normalized(E) = E/sum(E, axis=1, keepdims=true)
def causal_softmax(S) = _normalized(_masked(exp(S)))
def causal_attention(Q, K, V, O, X) = causal_softmax(_scores(Q, K, X)) @ (X @ V) @ O.T

# without the softmax
def linear_attention(Q, K, V, O, X) = (X @ Q) @ (X @ K).T @ (X @ V) @ O.T

def multi_head(Q, K, V, O, X) = sum(
    [attention(Q[h], K[h], V[h], O[h], X) for h in 0..size(Q, 0) - 1],
    axis=0,
)
def causal_multi_head(Q, K, V, O, X) = sum(
    [causal_attention(Q[h], K[h], V[h], O[h], X) for h in 0..size(Q, 0) - 1],
    axis=0,
)

# grouped queries: Q[groups, heads, n, r] and O alike, one K[groups, n, r] and V for all heads of a group
def _one_group(Q, K, V, O, X) = sum(
    [attention(Q[h], K, V, O[h], X) for h in 0..size(Q, 0) - 1],
    axis=0,
)
def grouped_query(Q, K, V, O, X) = sum(
    [_one_group(Q[g], K[g], V[g], O[g], X) for g in 0..size(Q, 0) - 1],
    axis=0,
)

# Rotary positions: at position i the coordinates 2b and 2b + 1 of a query or key turn by i times the angle of plane b.
# The angles are those of rational points of the circle, ((1 - u**2)/(1 + u**2), 2*u/(1 + u**2)) with u = 1/(b + 2):
# (3/5, 4/5), (4/5, 3/5), (15/17, 8/17), ... So the rotations are exact, and slower from plane to plane.
def _turn(u) = [[(1 - u**2)/(1 + u**2), -2*u/(1 + u**2)], [2*u/(1 + u**2), (1 - u**2)/(1 + u**2)]]
def _turned(b, i, y) = chain(z = y; k in 1..i: _turn(1/(b + 2)) @ z)
def _rotated(i, y) = concat([_turned(b, i, y[2*b:2*b+2]) for b in 0..size(y)/2 - 1])
def rotary(Y) = [_rotated(i, Y[i]) for i in 0..size(Y, 0) - 1]
def _rotary_scores(Q, K, X) = rotary(X @ Q) @ rotary(X @ K).T / size(Q, 1)**(1/2)
def rotary_attention(Q, K, V, O, X) = softmax(_rotary_scores(Q, K, X), axis=1) @ (X @ V) @ O.T
