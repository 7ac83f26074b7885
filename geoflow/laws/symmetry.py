"""Which symmetry gives which law.

Order 1: h is conserved for every loss iff the field M⁻¹∇h leaves φ unchanged (dφ·M⁻¹∇h = 0 is the law's own identity).
For Gram matrices that field is a change of basis, for sums of uψ'(u) − ψ(u) a rescaling. Order 2: angular momenta
belong to rotations (Noether). The text is derived from the law's terms; where no form is known it is empty.
"""

from __future__ import annotations

from fractions import Fraction

from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Apply, Expr, Number, Parameter, Velocity, walk
from geoflow.flow import Flow


def symmetry_of(law: Expr, flow: Flow) -> str:
    """`U → U G, V → V G⁻ᵀ`, or nothing; fields written out have no φ that a symmetry could leave unchanged."""
    if not flow.parametrization.outputs:
        return ""
    body = law
    if isinstance(body, Apply) and body.operation == "mul" and _time_only(body.arguments[0]):
        body = body.arguments[1]
    terms = _terms(body, Fraction(1))
    if flow.order == 2:
        return _rotation(terms)
    if terms and all(_gram_side(t) for _, t in terms):
        return _change_of_basis(terms)
    return _rescaling(terms, flow)


def _time_only(expr: Expr) -> bool:
    return not any(isinstance(n, Parameter | Velocity) for n in walk(expr))


def _terms(expr: Expr, sign: Fraction) -> list[tuple[Fraction, Expr]]:
    """A sum with its signs and coefficients taken apart."""
    if isinstance(expr, Apply):
        match expr.operation:
            case "add" | "sub":
                other = sign if expr.operation == "add" else -sign
                return _terms(expr.arguments[0], sign) + _terms(expr.arguments[1], other)
            case "neg":
                return _terms(expr.arguments[0], -sign)
            case "mul" if isinstance(expr.arguments[0], Number):
                return _terms(expr.arguments[1], sign * expr.arguments[0].value)
    return [(sign, expr)]


def _gram_side(term: Expr) -> tuple[str, str] | None:
    """(name, "right") for A.T @ A, which A → A G changes; (name, "left") for A @ A.T."""
    if not isinstance(term, Apply) or term.operation not in ("matmul", "outer"):
        return None
    left, right = map(_transposed, term.arguments)
    if left is None or right is None or left[0] != right[0]:
        return None
    if term.operation == "outer":
        return left[0], "left"
    match left[1], right[1]:
        case True, False:
            return left[0], "right"
        case False, True:
            return left[0], "left"
    return None


def _transposed(expr: Expr) -> tuple[str, bool] | None:
    """The parameter, and whether it is transposed."""
    if isinstance(expr, Parameter):
        return expr.name, False
    if (
        isinstance(expr, Apply)
        and expr.operation == "transpose"
        and isinstance(expr.arguments[0], Parameter)
    ):
        return expr.arguments[0].name, True
    return None


def _change_of_basis(terms: list[tuple[Fraction, Expr]]) -> str:
    moves, first = [], terms[0][0] > 0
    for coefficient, term in terms:
        side = _gram_side(term)
        assert side is not None
        name, where = side
        along = (coefficient > 0) == first
        if where == "right":
            moves.append(f"{name} → {name} {'G' if along else 'G⁻ᵀ'}")
        else:
            moves.append(f"{name} → {'Gᵀ' if along else 'G⁻¹'} {name}")
    return ", ".join(moves)


def _rescaling(terms: list[tuple[Fraction, Expr]], flow: Flow) -> str:
    """Σ F(A) with F the balanced function of A's metric: each slice is multiplied by cⁿ, n the coefficient."""
    moves: list[tuple[str, Fraction]] = []
    for coefficient, term in terms:
        found = _balanced_part(term, flow)
        if found is None:
            return ""
        moves.append((found[0], coefficient * found[1]))
    if not moves:
        return ""
    unit = min(abs(n) for _, n in moves)
    exponents = [(name, n / unit * (1 if moves[0][1] > 0 else -1)) for name, n in moves]
    return ", ".join(f"{name} → {_power(n)}{name}" for name, n in exponents) + _where(terms)


def _balanced_part(term: Expr, flow: Flow) -> tuple[str, Fraction] | None:
    names = {n.name for n in walk(term) if isinstance(n, Parameter)}
    if len(names) != 1:
        return None
    inner = term.arguments[0] if isinstance(term, Apply) and term.operation == "sum" else term
    name = names.pop()
    block = next(b for b in flow.parameters if b.name == name)
    metric = flow.metric_of(name)
    own = metric.balanced(Parameter(name, block.shape))
    if not own or print_expr(inner) != print_expr(own[0]):
        return None
    # d(uψ' − ψ)/du = uψ'': the balanced function of u² is 2(uψ' − ψ), of uᵖ it is p(uψ' − ψ)
    exponent = (
        inner.option("exponent")
        if isinstance(inner, Apply) and inner.operation == "pow"
        else Fraction(1)
    )
    if metric.text.startswith("scaled"):
        return None
    return name, Fraction(exponent)


def _power(n: Fraction) -> str:
    if n == 1:
        return "c·"
    return f"c^{n}·" if n.denominator == 1 and n > 0 else f"c^({n})·"


def _where(terms: list[tuple[Fraction, Expr]]) -> str:
    summed = any(isinstance(t, Apply) and t.operation == "sum" and t.shape for _, t in terms)
    return ", slice by slice" if summed else ", entry by entry" if terms[0][1].shape else ""


def _rotation(terms: list[tuple[Fraction, Expr]]) -> str:
    """Skew combinations A.T @ A' − A'.T @ A: A → A R with R orthogonal."""
    moves: dict[str, str] = {}
    for _, term in terms:
        if not isinstance(term, Apply) or term.operation != "matmul":
            return ""
        flat = [x.arguments[0] if isinstance(x, Apply) else x for x in term.arguments]
        leaves = [x for x in flat if isinstance(x, Parameter | Velocity)]
        if {type(x) for x in leaves} != {Parameter, Velocity} or len({x.name for x in leaves}) != 1:
            return ""
        name = leaves[0].name
        left = isinstance(term.arguments[0], Apply) and term.arguments[0].operation == "transpose"
        moves[name] = f"{name} → {name} R" if left else f"{name} → Rᵀ {name}"
    return ", ".join(moves.values()) + ", R orthogonal" if moves else ""
