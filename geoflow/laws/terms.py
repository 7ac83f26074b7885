"""Matrix expressions from which laws are made: Gram matrices, norms, balanced functions of each metric.

Laws are first sought as one linear combination of terms of equal shape, all entries at once: `U.T @ U - V.T @ V` is
two unknowns, not D(D+1)/2. A term is a part of dh for a symmetry that practice knows: changes of basis between layers
give Gram matrices, rescalings give sums of uψ'(u) − ψ(u), translations sums of ψ'(u).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from math import comb

from geoflow.dynamics import Momentum, SignDescent
from geoflow.expr.build import (
    Leaf,
    add,
    divide,
    matmul,
    multiply,
    outer,
    power,
    total,
    transpose,
)
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import (
    Apply,
    Expr,
    Number,
    Parameter,
    Shape,
    Time,
    Velocity,
    depends_on_time,
    number,
    walk,
)
from geoflow.flow import Flow

_MOST_MINORS = 60
_MOST_SPLITS = 8


def own_terms(flow: Flow) -> list[Expr]:
    """Terms that hold one parameter each (order 2: a parameter and its velocity), in the order of the layers."""
    terms: list[Expr] = []
    for block in flow.parameters:
        leaf, metric = Parameter(block.name, block.shape), flow.metric_of(block.name)
        if flow.order == 2:
            terms += _momentum_terms(leaf, metric.quadratic)
            terms += _accelerated_terms(flow, leaf)
            continue
        if metric.quadratic:
            terms += _grams(leaf, leaf)
        for function in metric.balanced(leaf):
            terms += _sums(function)
        terms += _beside_information(flow, leaf)
        if isinstance(flow.dynamics, SignDescent):  # a rescaling conserves Σ±θᵢ^(s+1)
            terms += _sums(power(leaf, flow.dynamics.power + 1))
    for block in flow.state:
        if block.kind == "moment":
            for power_of_moment in (block.leaf, power(block.leaf, 2)):
                terms += _sums(power_of_moment)
    if flow.has_drift and flow.order == 1:
        terms += _constants_and_time(terms, Time(), has_logarithm)
    if flow.order == 2:
        terms += _constants_and_time(terms, number(1), _is_quotient)
    return terms


def _constants_and_time(
    terms: list[Expr], value: Expr, wanted: Callable[[Expr], bool]
) -> Iterator[Expr]:
    """t beside logarithms, which decay moves at a constant speed; 1 beside quotients, with a time factor."""
    for shape in sorted({t.shape for t in terms if wanted(t)}):
        ones = Apply("ones", (), shape, (("shape", shape),))
        repeated = ones if isinstance(value, Number) else multiply(value, ones)
        yield repeated if shape else value


def _beside_information(flow: Flow, leaf: Parameter) -> Iterator[Expr]:
    """Logarithms of determinants and norms, where some metric has them: the Fisher information of one parameter is a
    function of the others, so that log det(VᵀV) may balance tr(UᵀU)."""
    logarithms: dict[str, Expr] = {}
    for m in flow.parametrization.metrics:
        logarithms |= {print_expr(x): x for x in m.metric.logarithms(leaf)}
    if not logarithms:
        return
    if not flow.metric_of(leaf.name).balanced(leaf):
        yield from _sums(power(leaf, 2))
    yield from logarithms.values()


def _accelerated_terms(flow: Flow, leaf: Parameter) -> Iterator[Expr]:
    """With the metric at p = τθ + θ' and a constant τ, (∇ψ(p))' = −∇(f∘φ): a translation conserves Σψ'(p). A rescaling
    moves Σuψ'(p) by Σpψ'(p) − τΣuψ'(p), so that exp(τt)·(Σuψ'(p) − c/τ) stays where Σpψ'(p) is a constant c."""
    dynamics, metric = flow.dynamics, flow.metric_of(leaf.name)
    if not (isinstance(dynamics, Momentum) and dynamics.accelerated and metric.mirror):
        return
    tau = dynamics.damping
    if depends_on_time(tau):
        return
    scaled = leaf if isinstance(tau, Number) and tau.value == 1 else multiply(tau, leaf)
    for slope in metric.balanced(add(scaled, Velocity(leaf.name, leaf.shape))):
        yield from _sums(slope)
        if not has_logarithm(slope):
            inverse = isinstance(slope, Apply) and slope.option("exponent") == -1
            product = divide(leaf, slope.arguments[0]) if inverse else multiply(leaf, slope)  # type: ignore[union-attr]
            yield from _sums(product)


def _is_quotient(term: Expr) -> bool:
    return any(isinstance(n, Apply) and n.operation == "div" for n in walk(term))


def has_logarithm(term: Expr) -> bool:
    """Whether the value of the term is beyond rational arithmetic (its derivative is not)."""
    return any(isinstance(n, Apply) and n.operation == "log" for n in walk(term))


def minors(flow: Flow) -> list[Expr]:
    """Largest minors of rectangular parameters: factors that a change of basis multiplies by one determinant."""
    found: list[Expr] = []
    for block in flow.parameters:
        if len(block.shape) != 2 or block.shape[0] == block.shape[1]:
            continue
        leaf = Parameter(block.name, block.shape)
        wide = leaf if block.shape[0] < block.shape[1] else transpose(leaf)
        size, columns = wide.shape
        if comb(columns, size) > _MOST_MINORS:
            continue
        for chosen in combinations(range(columns), size):
            picked = [column(wide, k) for k in chosen]
            found.append(picked[0] if size == 1 else determinant(picked))
    return found


def column(matrix: Expr, k: int) -> Expr:
    """One column; an entry where columns have one."""
    rows = matrix.shape[0]
    if rows == 1:
        return Apply("index", (matrix,), (), (("items", (0, k)),))
    return Apply("index", (matrix,), (rows,), (("items", ((0, rows, 1), k)),))


def determinant(columns: list[Expr]) -> Expr:
    """det of a matrix given by its columns (as rows: the transpose has the same determinant)."""
    n = len(columns)
    return Apply("det", (Apply("stack", tuple(columns), (n, n), (("axis", 0),)),), ())


def _momentum_terms(leaf: Parameter, quadratic: bool) -> Iterator[Expr]:
    """Angular momenta need U and U'; a law linear in θ gives one with U' and one with U and t·U'."""
    velocity = Velocity(leaf.name, leaf.shape)
    if quadratic:
        for a, b in ((leaf, velocity), (velocity, leaf)):
            yield from _grams(a, b)
    for term in (velocity, leaf, multiply(Time(), velocity)):
        yield from _sums(term)
    yield from _sums(multiply(leaf, velocity))


def cross_terms(flow: Flow) -> list[Expr]:
    """Products of two different parameters (order 2: of one and the other's velocity)."""
    terms: list[Expr] = []
    measured = {b.name: flow.metric_of(b.name) for b in flow.parameters}
    quadratic = [
        Parameter(b.name, b.shape)
        for b in flow.parameters
        if measured[b.name].quadratic or (flow.order == 2 and not measured[b.name].mirror)
    ]
    for a, b in combinations(quadratic, 2):
        pairs: list[tuple[Leaf, Leaf]] = [(a, b)]
        if flow.order == 2:
            pairs = [(a, Velocity(b.name, b.shape)), (Velocity(a.name, a.shape), b)]
        for left, right in pairs:
            terms += _products(left, right)
    return terms


def _grams(a: Expr, b: Expr) -> Iterator[Expr]:
    """Contractions of a with b (of the same shape) over all axes but one."""
    match len(a.shape):
        case 1:
            yield outer(a, b)
        case 2:
            yield matmul(transpose(a), b)
            yield matmul(a, transpose(b))
        case rank if rank > 2:
            yield from (_gram_along(a, b, axis) for axis in range(rank))


def _gram_along(a: Expr, b: Expr, axis: int) -> Expr:
    """The contraction over all axes but this one."""
    letters = "abcdefghijklmnop"[: len(a.shape)]
    other = letters[:axis] + "z" + letters[axis + 1 :]
    subscripts = f"{letters},{other}->{letters[axis]}z"
    shape = (a.shape[axis], b.shape[axis])
    return Apply("einsum", (a, b), shape, (("subscripts", subscripts),))


def split_terms(flow: Flow) -> list[Expr]:
    """Terms of parameters one of whose axes is a multiple of a dimension n of another parameter: a flattened map of n
    channels that feeds a dense layer, or merged heads. The axis is split, and all others summed over."""
    terms: list[Expr] = []
    for block in flow.parameters:
        sizes = sorted({n for b in flow.parameters if b is not block for n in b.shape if n > 1})
        splits = [
            (axis, n, pair)
            for axis, whole in enumerate(block.shape)
            for n in sizes
            if whole % n == 0 and n < whole
            for pair in ((n, whole // n), (whole // n, n))[: 2 if n * n != whole else 1]
        ]
        leaf = Parameter(block.name, block.shape)
        for axis, n, pair in splits[:_MOST_SPLITS]:
            shape = (*block.shape[:axis], *pair, *block.shape[axis + 1 :])
            for k in [axis + i for i, size in enumerate(pair) if size == n]:
                terms += _split_along(flow, leaf, shape, k)
    return terms


def _split_along(flow: Flow, leaf: Parameter, shape: Shape, axis: int) -> Iterator[Expr]:
    def reshaped(a: Expr) -> Expr:
        return Apply("reshape", (a,), shape, (("shape", shape),))

    metric, others = flow.metric_of(leaf.name), tuple(k for k in range(len(shape)) if k != axis)
    axes = others[0] if len(others) == 1 else others
    if flow.order == 2:
        velocity = reshaped(Velocity(leaf.name, leaf.shape))
        if metric.quadratic:
            yield _gram_along(reshaped(leaf), velocity, axis)
            yield _gram_along(velocity, reshaped(leaf), axis)
        return
    if metric.quadratic:
        yield _gram_along(reshaped(leaf), reshaped(leaf), axis)
    for function in metric.balanced(leaf):
        yield total(reshaped(function), axes)


def _sums(term: Expr) -> Iterator[Expr]:
    """The entries, their sums over some axes, and over all."""
    yield term
    rank = len(term.shape)
    for count in range(1, rank):
        for axes in combinations(range(rank), count):
            yield total(term, axes[0] if count == 1 else axes)
    if rank:
        yield total(term)


def _products(a: Leaf, b: Leaf) -> Iterator[Expr]:
    """Matrix and elementwise products of two parameters, wherever their shapes fit, and the transposes."""
    if len(a.shape) == len(b.shape) == 2:
        for left in (a, transpose(a)):
            for right in (b, transpose(b)):
                if left.shape[1] == right.shape[0]:
                    yield matmul(left, right)
                    yield matmul(transpose(right), transpose(left))
    elif len(a.shape) == len(b.shape) == 1:
        yield outer(a, b)
        yield outer(b, a)
    if a.shape == b.shape:
        yield from _sums(multiply(a, b))


def scalar_functions(flow: Flow) -> list[Expr]:
    """Elementwise functions beyond monomials for the scalar dictionary: the potentials' own."""
    found: list[Expr] = []
    if flow.order == 1:
        for block in flow.parameters:
            metric = flow.metric_of(block.name)
            if not metric.quadratic:
                found += [
                    f
                    for f in metric.balanced(Parameter(block.name, block.shape))
                    if not _is_monomial(f)
                ]
    return found


def _is_monomial(term: Expr) -> bool:
    if isinstance(term, Apply) and term.operation == "pow":
        exponent = term.option("exponent")
        return exponent.denominator == 1 and exponent > 0
    return isinstance(term, Parameter)
