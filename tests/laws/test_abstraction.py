"""Proofs by abstraction: large laws are proved, false ones never, and what is forgotten refutes nothing."""

from __future__ import annotations

from fractions import Fraction

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geoflow as gf
from geoflow.analysis import count
from geoflow.deadline import Deadline
from geoflow.exact.cut import Depth, Kind, cut
from geoflow.exact.division import Divisor
from geoflow.exact.interpreter import run
from geoflow.exact.opaque import OpaqueInverses
from geoflow.exact.polynomials import Polynomials, TooFewVariables
from geoflow.exact.program import trace
from geoflow.exact.quotient import Effort, TooLarge
from geoflow.laws.abstraction import Question, expand
from geoflow.laws.differential import Differential, differentiate
from geoflow.laws.identity import judge
from geoflow.lie.bracket import Generator

from ..flows.checking import blocks, expression
from .checking import check, verdicts

BLOCKS = "param U[{n}, {r}], V[{m}, {r}]\nmap phi = U @ V.T\nmetric fisher(blocks{damping})\n"


def log_det(name: str, shift: str) -> str:
    return f"log(det({name}.T @ {name}{shift}))"


@pytest.mark.parametrize(
    ("n", "m", "r", "damping", "shift"),
    [
        (4, 4, 4, ", damping = 1", " + eye(4)"),
        (6, 6, 6, "", ""),
        (7, 8, 5, ", damping = 2/3", " + 2*eye(5)/3"),
    ],
)
def test_natural_gradient_in_blocks(n: int, m: int, r: int, damping: str, shift: str):
    right = f"{log_det('U', shift)} - {log_det('V', shift)}"
    wrong = [
        f"{log_det('U', shift)} + {log_det('V', shift)}",
        f"{log_det('U', shift)} - 2*{log_det('V', shift)}",
        f"{log_det('U', f' + 3*eye({r})')} - {log_det('V', f' + 3*eye({r})')}",
    ]
    laws = "".join(f"law h{k} = {text}\n" for k, text in enumerate([right, *wrong]))
    text = BLOCKS.format(n=n, m=m, r=r, damping=damping) + laws
    assert list(verdicts(check(text)).values()) == ["proved", "refuted", "refuted", "refuted"]


def test_more_inner_units_than_outputs():
    """The pseudo-inverse of a block multiplies (VVᵀ)⁻¹ by a·VVᵀ: that must be seen to be a."""
    laws = "law right = log(det(U @ U.T)) - log(det(V @ V.T))\nlaw wrong = det(U @ U.T) - det(V @ V.T)\n"
    text = BLOCKS.format(n=4, m=4, r=6, damping="") + laws
    assert verdicts(check(text)) == {"right": "proved", "wrong": "refuted"}


def test_symbolic_damping():
    laws = {
        "right": f"{log_det('U', ' + c*eye(4)')} - {log_det('V', ' + c*eye(4)')}",
        "other": f"{log_det('U', ' + 2*c*eye(4)')} - {log_det('V', ' + 2*c*eye(4)')}",
    }
    text = "const c symbolic\n" + BLOCKS.format(n=4, m=4, r=4, damping=", damping = c")
    found = verdicts(check(text + "".join(f"law {n} = {h}\n" for n, h in laws.items())))
    assert found == {"right": "proved", "other": "refuted"}


def test_deep_networks():
    chain = "param W[l in 1..8][6, 6]\nmap phi = chain(h = W[1]; l in 2..8: W[l] @ h)\n"
    laws = "law right = [W[l] @ W[l].T - W[l+1].T @ W[l+1] for l in 1..7]\n"
    wrong = "law wrong = [W[l] @ W[l].T + W[l+1].T @ W[l+1] for l in 1..7]\n"
    assert verdicts(check(chain + laws + wrong)) == {"right": "proved", "wrong": "refuted"}


def question(flow: gf.Flow, text: str) -> tuple[Generator, Differential]:
    return Generator.of(flow), differentiate(flow, [expression(blocks(flow), text)])


def attempts(flow: gf.Flow, text: str) -> dict[tuple[Depth, bool], bool]:
    """Whether the derivative of a law expands to zero, by what is cut and whether inverses are opaque."""
    asked = Question(*question(flow, text))
    return {
        (depth, opaque): asked.expand(asked.cut(depth), opaque, Effort()).zero
        for depth in Depth
        for opaque in (False, True)
    }


def attention(p: dict[str, jnp.ndarray]) -> jnp.ndarray:
    data = np.array([[1.0, -2.0, 3.0], [2.0, 1.0, -1.0], [0.0, 3.0, 1.0]])
    scores = jnp.exp(data @ p["Q"] @ p["K"].T @ data.T)
    return scores / jnp.sum(scores, axis=1, keepdims=True) @ data @ p["V"] @ p["W"]


def test_attention():
    shapes = {"Q": (3, 2), "K": (3, 2), "V": (3, 2), "W": (2, 3)}
    flow = gf.Flow(attention, {n: np.zeros(s) for n, s in shapes.items()})

    def proved(text: str) -> bool:
        asked = Question(*question(flow, text))
        return asked.expand(asked.cut(Depth.ELEMENTWISE), True, Effort(10**4)).zero

    assert proved("Q.T @ Q - K.T @ K")
    assert proved("V.T @ V - W @ W.T")
    assert not proved("Q.T @ Q + K.T @ K")
    assert not proved("V.T @ V - 2*W @ W.T")


NETWORK = """\
param W[l in 1..3][4, 4], b[4]
input x[4]
network g = W[3] @ relu(W[2] @ relu(W[1] @ x + b))
law first = sum(W[1]**2, axis=1) + b**2 - sum(W[2]**2, axis=0)
law second = sum(W[2]**2, axis=1) - sum(W[3]**2, axis=0)
law wrong = sum(W[2]**2, axis=1) + sum(W[3]**2, axis=0)
"""


def test_networks():
    found = verdicts(check(NETWORK))
    assert found == {"first": "proved", "second": "proved", "wrong": "refuted"}


def test_gates_are_0_or_1():
    """relu(z)² − z·relu(z) is 0 only since a gate is its own square."""
    text = "param u, v, w\ninput x\nnetwork g = u*v*x + w*(relu(u*x)**2 - u*x*relu(u*x))\n"
    found = verdicts(check(text + "law right = w\nlaw wrong = u\n"))
    assert found == {"right": "proved", "wrong": "refuted"}


MAPS = {
    "product": (lambda p: p["x"] * p["y"], ["x", "y"]),
    "pairs": (lambda p: [p["x"] * p["y"], p["y"] * p["z"]], ["x", "y", "z"]),
    "square": (lambda p: (p["x"] * p["y"]) ** 2 + p["z"], ["x", "y", "z"]),
    "quotient": (lambda p: p["x"] * p["y"] / (1 + p["z"] ** 2), ["x", "y", "z"]),
    "sum": (lambda p: (p["x"] + p["y"]) * p["z"], ["x", "y", "z"]),
    "inverse": (
        lambda p: gf.inv(jnp.array([[p["x"], p["y"]], [p["y"], p["x"]]]))[0] * p["z"],
        ["x", "y", "z"],
    ),
}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(MAPS)), st.lists(st.integers(-1, 1), min_size=6, max_size=6))
def test_no_abstraction_proves_a_false_law(name: str, coefficients: list[int]):
    phi, names = MAPS[name]
    terms = ["x**2", "y**2", f"{names[-1]}**2", "x*y", "x**4", "log(x**2 + y**2)"]
    text = " + ".join(f"({c})*{t}" for c, t in zip(coefficients, terms, strict=True))
    if not any(coefficients):
        return
    found = attempts(gf.Flow(phi, dict.fromkeys(names, 0.0)), text)
    if any(found.values()):
        assert found[Depth.NONE, False]


def test_what_is_forgotten_refutes_nothing():
    """x² − y² needs that a cut product is a product: the cheap attempts fail, and a later one proves it."""
    flow = gf.Flow(lambda p: (p["x"] * p["y"]) ** 2, {"x": 1.0, "y": 1.0})
    entropy = gf.Flow(
        lambda p: p["x"] * p["y"], {"x": 1.0, "y": 1.0}, metric=gf.Mirror(lambda u: u * jnp.log(u))
    )
    assert not attempts(entropy, "x - y")[Depth.ELEMENTWISE, True]
    for case, text in ((flow, "x**2 - y**2"), (entropy, "x - y")):
        counted = count(case)
        generator, differential = question(case, text)
        assert judge(generator, differential, counted.places, 0).verdict == "proved"
        assert not expand(generator, differential, None).made


def test_values_of_functions_do_not_decide():
    """exp(2x) = exp(x)² is not seen: an expansion that is not zero says that it is not faithful."""
    flow = gf.Flow(
        lambda p: jnp.exp(2 * p["x"]) * p["y"] - jnp.exp(p["x"]) ** 2 * p["y"], {"x": 0.0, "y": 0.0}
    )
    found = expand(*question(flow, "x"), None)
    assert (found.zero, found.faithful) == (False, False)


def test_a_cut_keeps_equal_values_equal():
    program = trace(lambda x, y, z: [(y @ z) @ x, x.T @ (y @ z).T], *(jnp.zeros((2, 2)),) * 3)
    found = cut(program, [Kind.READ, Kind.FREE, Kind.FREE], [0, 1], Depth.FREE)
    assert [shape for _, shape in found.fresh] == [(2, 2)]
    ring, (x, w) = Polynomials.in_shapes([(2, 2), (2, 2)])
    one, other = run(found.program, ring, [x, x, x], given={found.fresh[0][0]: w})
    assert all(ring.is_zero(v) for v in (one - other.swapaxes(2, 3)).flat)


def test_known_values_are_not_cut():
    program = trace(lambda c, x: (c * c) * x, *(jnp.zeros(()),) * 2)
    assert not cut(program, [Kind.KNOWN, Kind.READ], [0], Depth.ELEMENTWISE).fresh
    assert cut(program, [Kind.FREE, Kind.READ], [0], Depth.FREE).fresh


def array(shape: tuple[int, ...], *values: object) -> np.ndarray:
    """An array of polynomials; NumPy would take them for sequences."""
    out = np.empty(len(values), dtype=object)
    for k, value in enumerate(values):
        out[k] = value
    return out.reshape(shape)


def opaque(spare: int = 40) -> OpaqueInverses:
    return OpaqueInverses(["a", "b", "c", "d"], spare)


def test_inverses_of_equal_matrices_are_equal():
    ring = opaque()
    a, b, c, d = ring.variables
    matrix = array((1, 1, 2, 2), a, b, c, d)
    determinant, inverse = ring.determinant_and_inverse(matrix)
    again = ring.determinant_and_inverse(matrix.swapaxes(2, 3))
    double = ring.determinant_and_inverse(
        ring.mul(matrix, ring.constant(Fraction(2), (1, 1, 1, 1)))
    )
    assert ring.made == 5
    assert all(ring.is_zero(x) for x in (inverse - again[1].swapaxes(2, 3)).flat)
    assert all(ring.is_zero(x) for x in (inverse - double[1] - double[1]).flat)
    assert ring.is_zero(double[0][0, 0] - determinant[0, 0] * 4)
    other = ring.determinant_and_inverse(array((1, 1, 2, 2), a, b, c, a))[1]
    assert not ring.is_zero((inverse - other)[0, 0, 0, 0])


def test_an_inverse_meets_its_matrix():
    ring = opaque()
    a, b, c, d = ring.variables
    matrix = array((1, 1, 2, 2), a, b, b, a * b)
    inverse = ring.determinant_and_inverse(matrix)[1]
    target = array((1, 1, 2, 1), c + d, c * d - 2)
    vector = ring.matmul(matrix, target)
    for product in (
        ring.matmul(inverse, vector),
        ring.matmul(vector.swapaxes(2, 3), inverse).swapaxes(2, 3),
    ):
        assert all(ring.is_zero(x) for x in (product - target).flat)
    rest = b * c * c
    more = ring.matmul(inverse, vector + array((1, 1, 2, 1), rest, a - a))
    expected = target + array((1, 1, 2, 1), inverse[0, 0, 0, 0] * rest, inverse[0, 0, 1, 0] * rest)
    assert all(ring.is_zero(x) for x in (more - expected).flat)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.integers(-2, 2), min_size=18, max_size=18))
def test_division(numbers: list[int]):
    a, b, c, d = Polynomials(["a", "b", "c", "d"]).variables
    terms = [n * x for n, x in zip(numbers, [a, b, c, d, a * c, b * c] * 3, strict=True)]
    matrix = array((2, 2), a + numbers[0] * b, b, numbers[1] * b, a * b)
    vector = [sum(terms[:9], a - a), sum(terms[9:], a - a)]
    divisor = Divisor(matrix)
    assert divisor.usable
    quotient, rest = divisor.divide(vector, Effort())
    for k in range(2):
        assert matrix[k, 0] * quotient[0] + matrix[k, 1] * quotient[1] + rest[k] == vector[k]
    multiple = [matrix[k, 0] * c + matrix[k, 1] * d * 3 for k in range(2)]
    assert divisor.divide(multiple, Effort()) == ([c, 3 * d], [a - a, a - a])


def test_blocks_and_reciprocals():
    ring = opaque()
    a, b, c, d = ring.variables
    zero = a - a
    matrix = array((1, 1, 3, 3), a, zero, b, zero, c, zero, b, zero, d)
    determinant, inverse = ring.determinant_and_inverse(matrix)
    assert ring.made == 4  # symmetric
    assert ring.is_zero(inverse[0, 0, 1, 1] * c - 1)
    assert ring.is_zero(inverse[0, 0, 0, 1])
    assert not ring.is_zero(determinant[0, 0] - c)
    assert ring.is_zero(ring.reciprocal(2 * a * c + 4 * a * d) * a * 2 - ring.reciprocal(c + 2 * d))
    with pytest.raises(ZeroDivisionError):
        ring.reciprocal(zero)
    few = opaque(3)
    a, b, c, d = few.variables
    with pytest.raises(TooFewVariables):
        few.determinant_and_inverse(array((1, 1, 2, 2), a, b, c, d))


def test_exponentials_of_opposite_values():
    ring = opaque()
    a, b = ring.variables[:2]
    values = ring.smooth("exp", array((3,), a - b, b - a, a))
    assert ring.is_zero(values[0] * values[1] - 1)
    assert not ring.is_zero(values[0] - values[2])


def test_variables_that_are_0_or_1():
    ring = Polynomials(["m", "x"], idempotent=[0])
    m, x = ring.variables
    assert ring.is_zero(m * m * x - m * x)
    assert not ring.is_zero(m * x * x - m * x)


def test_the_time_is_kept():
    ring = Polynomials([f"x{k}" for k in range(30)], deadline=Deadline.after(0.0))
    total = array((1, 1), sum(ring.variables[1:], ring.variables[0]))
    with pytest.raises(TooLarge, match="time"):
        ring.mul(total, total)


def test_large_products_are_made_in_pieces():
    variables = Polynomials([f"x{k}" for k in range(12)]).variables
    factor = sum(variables[1:], variables[0]) + 1
    power = factor**4
    assert Effort().product(power, power) == factor**8
    with pytest.raises(TooLarge, match="terms"):
        Effort(terms=10**4).product(power, power)


def test_the_reason_is_said():
    flow = gf.Flow(lambda p: p["x"] * p["y"], {"x": 1.0, "y": 1.0})
    generator, differential = question(flow, "x**2 - y**2")
    late = judge(generator, differential, count(flow).places, 0, Deadline.after(0.0))
    assert (late.verdict, late.reason) == ("probable", "the time ran out")
