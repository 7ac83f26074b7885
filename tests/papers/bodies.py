"""The models of the papers as text: parameters, map, metric, flow and the laws known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Body:
    """The statements of a model between its name and what it expects.

    `complete`: the laws are known to be all, for cases whose source does not say.
    """

    lines: tuple[str, ...]
    laws: dict[str, str] = field(default_factory=dict)
    complete: bool = False

    def text(self, name: str, count: int | None, complete: bool) -> str:
        """The `.geo` text."""
        claims = [f"law {law} = {expression}" for law, expression in self.laws.items()]
        expected = [f"expect laws = {count}"] if count is not None else []
        expected += ["expect complete"] if complete else []
        return "\n".join([f"model {name}", "", *self.lines, *claims, *expected]) + "\n"


def sizes(dims: Sequence[int]) -> str:
    """The widths of a network as a family."""
    return f"dim d[0..{len(dims) - 1}] = {list(dims)}"


def layers(dims: Sequence[int]) -> tuple[str, str]:
    """Widths, and one matrix a layer with its inputs as rows."""
    return sizes(dims), f"param W[l in 1..{len(dims) - 1}][d[l-1], d[l]]"


def linear(dims: Sequence[int]) -> Body:
    """A linear network: φ = W[1] ⋯ W[q]."""
    depth = len(dims) - 1
    product = " @ ".join(f"W[{i}]" for i in range(1, depth + 1))
    laws = {
        f"balance{i}": f"W[{i}].T @ W[{i}] - W[{i + 1}] @ W[{i + 1}].T" for i in range(1, depth)
    }
    return Body((*layers(dims), f"map phi = {product}"), laws)


def linear_momentum(dims: Sequence[int], tau: int | str) -> Body:
    """The same under momentum: angular momenta with the factor exp(tau t), or t³ for the damping 3/t."""
    factor = "t**3 * " if tau == "3/t" else "exp(tau*t) * " if tau else ""
    laws = {
        f"angular{i}": f"{factor}(W[{i}].T @ W[{i}]' - W[{i}]'.T @ W[{i}]"
        f" + W[{i + 1}] @ W[{i + 1}]'.T - W[{i + 1}]' @ W[{i + 1}].T)"
        for i in range(1, len(dims) - 1)
    }
    body = linear(dims)
    return Body((*body.lines, *momentum(tau)), laws)


def momentum(tau: int | str, accelerated: bool = False) -> tuple[str, ...]:
    """Heavy ball with a named constant, or Nesterov's damping."""
    word = " accelerated" if accelerated else ""
    if tau == "3/t":
        return (f"flow order 2 damping 3/t{word}",)
    return f"const tau = {tau}", f"flow order 2 damping tau{word}"


def linear_with_biases(dims: Sequence[int]) -> Body:
    """x ↦ (x W1 + b1) W2 + b2."""
    lines = (
        sizes(dims),
        "param W1[d[0], d[1]], b1[d[1]], W2[d[1], d[2]], b2[d[2]]",
        "map phi = [W1 @ W2, b1 @ W2 + b2]",
    )
    return Body(lines, {"balance": "W1.T @ W1 + outer(b1, b1) - W2 @ W2.T"})


def paths(matrices: Sequence[str], biases: Sequence[str] = ()) -> list[str]:
    """The path-lifting of a ReLU network: a product a path, from an input or a hidden bias."""
    letters = "ijklmno"
    edges = [letters[a : a + 2] for a in range(len(matrices))]
    starts = [(edges, list(matrices))]
    for layer, bias in enumerate(biases, start=1):
        starts.append(([letters[layer], *edges[layer:]], [bias, *matrices[layer:]]))
    return [
        f'einsum("{",".join(subscripts)}->{_union(subscripts)}", {", ".join(factors)})'
        for subscripts, factors in starts
    ]


def _union(subscripts: Sequence[str]) -> str:
    return "".join(sorted(set("".join(subscripts))))


def relu(dims: Sequence[int], biased: bool = False) -> Body:
    """A ReLU network as its path-lifting, with biases on the hidden layers or none."""
    depth = len(dims) - 1
    hidden = range(1, depth)
    lines = list(layers(dims))
    if biased:
        lines.append(f"param b[l in 1..{depth - 1}][d[l]]")
    matrices = [f"W[{i}]" for i in range(1, depth + 1)]
    maps = paths(matrices, [f"b[{i}]" for i in hidden] if biased else [])
    lines.append(f"map phi = {maps[0] if len(maps) == 1 else '[' + ', '.join(maps) + ']'}")
    laws = {
        f"neuron{i}": f"sum(W[{i}]**2, axis=0){f' + b[{i}]**2' if biased else ''}"
        f" - sum(W[{i + 1}]**2, axis=1)"
        for i in hidden
    }
    return Body(tuple(lines), laws)


def without_laws(body: Body, *lines: str) -> Body:
    """The same map in a flow that keeps nothing."""
    return Body((*body.lines, *lines))


def two_layer(dims: Sequence[int], metric: Sequence[str], law: str, positive: bool = False) -> Body:
    """φ = U V, with U of n by r and V of r by m, under another metric."""
    n, r, m = dims
    sign = " > 0" if positive else ""
    lines = (
        f"dim n = {n}, r = {r}, m = {m}",
        f"param U[n, r]{sign}, V[r, m]{sign}",
        "map phi = U @ V",
        *metric,
    )
    return Body(lines, {"balance": law})


def nonnegative(dims: Sequence[int]) -> Body:
    """Nonnegative matrix factorization under the entropy."""
    return two_layer(
        dims, ["metric mirror(entropy) on U, V"], "sum(U, axis=0) - sum(V, axis=1)", positive=True
    )


def burg(dims: Sequence[int]) -> Body:
    """The same under the log-barrier."""
    law = "sum(log(U), axis=0) - sum(log(V), axis=1)"
    return two_layer(dims, ["metric mirror(log_barrier) on U, V"], law, positive=True)


def accelerated(body: Body, tau: int | str) -> Body:
    """The map and the mirror of a body under accelerated momentum, which keeps nothing."""
    return without_laws(body, *momentum(tau, accelerated=True))


def block_fisher(dims: Sequence[int], damping: int = 0) -> Body:
    """The Fisher metric of each layer."""
    options = f"blocks, damping = {damping}" if damping else "blocks"
    more = f" + {damping}*eye(r)" if damping else ""
    law = f"log(det(U.T @ U{more})) - log(det(V @ V.T{more}))"
    return two_layer(dims, [f"metric fisher({options})"], law)


def diagonal_fisher(dims: Sequence[int]) -> Body:
    """The diagonal of the Fisher metric."""
    law = "log(sum(U**2, axis=0)) - log(sum(V**2, axis=1))"
    return two_layer(dims, ["metric fisher(diagonal)"], law)


def full_fisher(dims: Sequence[int]) -> Body:
    """The whole Fisher metric, by its pseudo-inverse."""
    return two_layer(dims, ["metric fisher(full)"], "U.T @ U - V @ V.T")


def arcsinh(dims: Sequence[int]) -> Body:
    """M⁻¹ = 1 + θ² entry by entry, as a metric written out."""
    metric = [
        "let u = reshape(U, [n*r])",
        "let v = reshape(V, [r*m])",
        "metric riemannian(diag(1/(1 + u**2))) on U",
        "metric riemannian(diag(1/(1 + v**2))) on V",
    ]
    return two_layer(dims, metric, "sum(log(1 + U**2), axis=0) - sum(log(1 + V**2), axis=1)")


def decayed(dims: Sequence[int], rates: Sequence[int]) -> Body:
    """Weight decay, one rate a layer; only a uniform one keeps laws."""
    first, second = rates
    lines = ["const lam = 1", "decay lam decoupled"] if first == second else []
    if not lines:
        rows = [("U", first), ("V", second)]
        lines = [f"decay {rate} on {name} decoupled" for name, rate in rows if rate]
    body = two_layer(dims, lines, "exp(2*lam*t) * (U.T @ U - V @ V.T)")
    return body if first == second else Body(body.lines)


def layer_rates(dims: Sequence[int]) -> Body:
    """Learning rates 2 and 3."""
    metric = ["metric scaled(2) on U", "metric scaled(3) on V"]
    return two_layer(dims, metric, "U.T @ U / 2 - V @ V.T / 3")


PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)


def entry_rates(dims: Sequence[int]) -> Body:
    """A rate per entry, all distinct."""
    n, r, m = dims
    source = iter(PRIMES)
    first = [[next(source) for _ in range(r)] for _ in range(n)]
    second = [[next(source) for _ in range(m)] for _ in range(r)]
    metric = [
        f"let eta1 = {first}",
        f"let eta2 = {second}",
        "metric scaled(eta1) on U",
        "metric scaled(eta2) on V",
    ]
    return two_layer(dims, metric, "sum(U**2 / eta1, axis=0) - sum(V**2 / eta2, axis=1)")


def convex(dims: Sequence[int], biased: bool) -> Body:
    """An input-convex network U relu(V x + b), entropy on U: dims are outputs, hidden, inputs."""
    n, r, m = dims
    maps = ['einsum("kj,ji->kji", U, V)', *(['einsum("kj,j->kj", U, b)'] if biased else [])]
    lines = (
        f"dim n = {n}, r = {r}, m = {m}",
        f"param U[n, r] >= 0, V[r, m]{', b[r]' if biased else ''}",
        f"map phi = {maps[0] if len(maps) == 1 else '[' + ', '.join(maps) + ']'}",
        "metric mirror(entropy) on U",
    )
    law = f"2 * sum(U, axis=0) - sum(V**2, axis=1){' - b**2' if biased else ''}"
    return Body(lines, {"neuron": law})


def product(dims: Sequence[int]) -> Body:
    """φ = x1 ⋯ xD."""
    lines = (f"dim n = {dims[0]}", "param x[n]", "map phi = prod(x)")
    return Body(lines, {"squares": "x[0]**2 - x[1:]**2"})


def convolutions(dims: Sequence[int]) -> Body:
    """Two full convolutions, one after the other: φ is their convolution."""
    a, b = dims
    entries = [
        " + ".join(f"w1[{i}]*w2[{s - i}]" for i in range(a) if 0 <= s - i < b)
        for s in range(a + b - 1)
    ]
    lines = (
        f"dim k1 = {a}, k2 = {b}",
        "param w1[k1], w2[k2]",
        f"map phi = [{', '.join(entries)}]",
    )
    return Body(lines, {"norms": "sum(w1**2) - sum(w2**2)"})


def identity_matrix(n: int) -> str:
    """The identity as a bracketed list."""
    return str([[int(i == j) for j in range(n)] for i in range(n)])


def residual(dims: Sequence[int]) -> Body:
    """The linear block x + x V U."""
    lines = (
        f"dim n = {dims[0]}, r = {dims[1]}",
        "param V[n, r], U[r, n]",
        f"let skip = {identity_matrix(dims[0])}",
        "map phi = skip + V @ U",
    )
    return Body(lines, {"balance": "V.T @ V - U @ U.T"})


def residual_relu(dims: Sequence[int]) -> Body:
    """The block x + U relu(V x), by its paths."""
    lines = (
        f"dim n = {dims[0]}, r = {dims[1]}",
        "param U[n, r], V[r, n]",
        'map phi = einsum("kj,ji->kji", U, V)',
    )
    return Body(lines, {"neuron": "sum(V**2, axis=1) - sum(U**2, axis=0)"})


def attention(dims: Sequence[int]) -> Body:
    """One head: Q Kᵀ and V O."""
    lines = (
        f"dim d = {dims[0]}, r = {dims[1]}",
        "param Q[d, r], K[d, r], V[d, r], O[r, d]",
        "map phi = [Q @ K.T, V @ O]",
    )
    return Body(lines, {"queries": "Q.T @ Q - K.T @ K", "values": "V.T @ V - O @ O.T"})


def low_rank(dims: Sequence[int]) -> Body:
    """W0 + B A with W0 fixed."""
    n, r, m = dims
    frozen = [[1 + 2 * i + 3 * j for j in range(m)] for i in range(n)]
    lines = (
        f"dim n = {n}, r = {r}, m = {m}",
        "param B[n, r], A[r, m]",
        f"let W0 = {frozen}",
        "map phi = W0 + B @ A",
    )
    return Body(lines, {"balance": "B.T @ B - A @ A.T"})


def rms_gain(dims: Sequence[int]) -> Body:
    """A gain before a linear layer: φ = diag(g) W."""
    lines = (f"dim n = {dims[0]}, m = {dims[1]}", "param g[n], W[n, m]", "map phi = diag(g) @ W")
    return Body(lines, {"gains": "g**2 - sum(W**2, axis=1)"})


def squared_relu(dims: Sequence[int]) -> Body:
    """Activation relu(z)², positively homogeneous of degree 2, by its paths."""
    n, r, m = dims
    lines = (
        f"dim n = {n}, r = {r}, m = {m}",
        "param W[r, n], V[r, m]",
        'map phi = einsum("ji,jl,jk->jilk", W, W, V)',
    )
    return Body(lines, {"neuron": "sum(W**2, axis=1) - 2*sum(V**2, axis=1)"})


def identifiable(dims: Sequence[int]) -> Body:
    """Activations without symmetry: φ = θ."""
    n, r, m = dims
    return Body((f"dim n = {n}, r = {r}, m = {m}", "param W[n, r], V[r, m]", "map phi = [W, V]"))


def sensing(dims: Sequence[int]) -> Body:
    """Symmetric matrix sensing."""
    return Body((f"dim n = {dims[0]}, r = {dims[1]}", "param U[n, r]", "map phi = U @ U.T"))


def tied(dims: Sequence[int]) -> Body:
    """One matrix used twice."""
    return Body((f"dim n = {dims[0]}", "param W[n, n]", "map phi = W @ W"))


def scale_invariant(dims: Sequence[int]) -> Body:
    """A weight before batch normalization."""
    lines = (f"dim n = {dims[0]}", "param w[n]", "map phi = w / norm(w)")
    return Body(lines, {"length": "sum(w**2)"})


def diagonal(dims: Sequence[int], squares: bool) -> Body:
    """u ⊙ v, or u ⊙ u - v ⊙ v."""
    lines = (f"dim n = {dims[0]}", "param u[n], v[n]")
    if squares:
        return Body((*lines, "map phi = u*u - v*v"), {"products": "u * v"})
    return Body((*lines, "map phi = u * v"), {"differences": "u**2 - v**2"})
