"""Gates: the traced field with real gates is JAX's gradient, for every way to write a piecewise function."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.analysis import analyze
from geoflow.exact.folding import folded
from geoflow.exact.gates import multi_affine
from geoflow.exact.lifting import lift
from geoflow.exact.primefield import PrimeField
from geoflow.exact.program import UnsupportedPrimitive, trace
from geoflow.laws.search import Where
from geoflow.lie.bracket import Generator, Letter
from geoflow.lossclass import CrossEntropy, FewData
from geoflow.options import CheckOptions
from geoflow.pipeline import check_text
from tests.networks.nets import SCALARS, mismatch, network, two_layers

SMALL = {"U": (1, 2), "V": (2, 2)}
MATRIX = Where(degree=1)

PIECEWISE = {
    "relu": jax.nn.relu,
    "maximum": lambda z: jnp.maximum(z, 0),
    "maximum, constant first": lambda z: jnp.maximum(0, z),
    "minimum": lambda z: jnp.minimum(z, 0),
    "relu6": jax.nn.relu6,
    "clip": lambda z: jnp.clip(z, -0.5, 0.5),
    "clip above": lambda z: jnp.clip(z, None, 0.5),
    "hard tanh": jax.nn.hard_tanh,
    "hard swish": jax.nn.hard_swish,
    "leaky": jax.nn.leaky_relu,
    "abs": jnp.abs,
    "sign": lambda z: z * jnp.sign(z),
    "sign of relu": lambda z: z * (1 - jnp.sign(jax.nn.relu(z)) ** 2),
    "soft sign": jax.nn.soft_sign,
    "elu": jax.nn.elu,
    "relu of relu": lambda z: jax.nn.relu(jax.nn.relu(z)),
    "squared relu": lambda z: jax.nn.relu(z) ** 2,
    "z < 0": lambda z: jnp.where(z < 0, z * z, z),
    "z >= 0": lambda z: jnp.where(z >= 0, z, 0.1 * z),
    "0 > z": lambda z: jnp.where(jnp.greater(0, z), 0, z),
    "z > 1/4": lambda z: jnp.where(z > 0.25, z, 2 * z),
    "z > several numbers": lambda z: jnp.where(z > jnp.array([0.1, -0.2, 0.3]), z, 2 * z),
    "relu = 0": lambda z: jnp.where(jax.nn.relu(z) == 0, z, z * z),
    "relu = z": lambda z: jnp.where(jax.nn.relu(z) == z, z, z * z),
    "z != z": lambda z: jnp.where(z != z, 0, z),
    "nested": lambda z: jnp.where(z > 0, jnp.where(z > 0.5, z, z * z), -z),
    "and": lambda z: jnp.where((z > 0) & (z[::-1] > 0), z, z * z),
    "or": lambda z: jnp.where((z > 0) | (z < -0.5), z, z * z),
    "not": lambda z: jnp.where(~(z > 0), z, z * z),
    "xor": lambda z: jnp.where((z > 0) ^ (z[::-1] > 0), z, z * z),
    "equal truths": lambda z: jnp.where((z > 0) == (z[::-1] > 0), z, z * z),
    "different truths": lambda z: jnp.where((z > 0) != (z[::-1] > 0), z, z * z),
    "greatest": lambda z: z * jnp.max(z),
    "least": lambda z: z * jnp.min(z),
    "greatest over an axis": lambda z: jnp.max(z[:, None] * jnp.array([1.0, -1.0, 2.0]), axis=0),
    "greatest of relus": lambda z: z * jnp.max(jax.nn.relu(z)),
    "greatest, kept": lambda z: z - jnp.max(z, keepdims=True),
    "greatest, from a number": lambda z: z * jnp.max(z, initial=0.2),
    "place of the greatest": lambda z: z * (z == z.max()),
    "range": lambda z: z * jnp.ptp(z),
    "vmap": lambda z: jax.vmap(jax.nn.relu)(z),
    "cond": lambda z: jax.lax.cond(True, jax.nn.relu, jnp.abs, z),
    "nan_to_num": jnp.nan_to_num,
    "softplus": jax.nn.softplus,
    "mish": jax.nn.mish,
    "exact gelu": lambda z: jax.nn.gelu(z, approximate=False),
    "erfc": jax.lax.erfc,
    "layer norm": lambda z: (z - z.mean()) / jnp.sqrt(z.var() + 1e-5),
    "RMS norm": lambda z: z * jax.lax.rsqrt(jnp.mean(z * z) + 1e-6),
}


@pytest.mark.parametrize("name", PIECEWISE)
def test_the_field_is_the_gradient(name):
    assert mismatch(two_layers(PIECEWISE[name])) < 1e-12


def test_the_comparison_can_fail():
    assert mismatch(two_layers(jax.nn.relu), two_layers(jax.nn.leaky_relu)) > 1e-4


@pytest.mark.parametrize(
    "function",
    [
        lambda z: z * z[jnp.argmax(z)],
        jnp.sort,
        lambda z: z * jnp.floor(z),
        lambda z: z * jnp.sum(z > 0),
    ],
)
def test_what_has_no_rule_is_refused(function):
    with pytest.raises(UnsupportedPrimitive):
        mismatch(two_layers(function))


@pytest.mark.parametrize(
    "activation",
    [
        lambda z: jnp.maximum(z, 0),
        lambda z: jnp.maximum(0.0, z),
        lambda z: -jnp.minimum(-z, 0),
        lambda z: jnp.where(jnp.greater(0, z), 0, z),
        lambda z: jax.nn.relu(jax.nn.relu(z)),
        lambda z: z * (z > 0),
    ],
)
def test_every_spelling_of_relu_has_one_law_a_neuron(activation):
    """The derivative of max has a quotient of truth values, [x = max]/(1 + [y = max])."""
    found = analyze(two_layers(activation, SMALL), where=MATRIX)
    assert (found.count.lower, found.count.upper, found.count.status) == (2, 2, "proved")
    assert not any(str(law) == "V" for law in found.laws)


def test_relu_minus_relu_of_minus_is_linear():
    found = analyze(two_layers(lambda z: jax.nn.relu(z) - jax.nn.relu(-z), SMALL), where=MATRIX)
    assert (found.count.lower, found.count.upper, found.count.status) == (3, 3, "proved")
    assert Generator.of(two_layers(lambda z: jax.nn.relu(z) - jax.nn.relu(-z))).free_gates


def test_a_value_at_a_kink_of_positive_measure():
    """Where relu is 0 on an open set, so is "relu == 0" true: z·x moves z there."""
    flow = network(
        lambda t: t["z"] * (jax.nn.relu(t["x"] * t["d"]) == 0) + t["x"] * t["y"] * t["d"],
        SCALARS,
        {"d": ()},
    )
    found = analyze(flow, where=MATRIX)
    assert found.count.upper == 1
    assert not any(str(law) == "z" for law in found.laws)


def test_gates_that_are_multiplied_are_no_free_values():
    """relu(z)² − z·relu(z) is 0, which free values of the gate would not see."""
    flow = network(
        lambda t: (
            t["u"]
            * (jax.nn.relu(t["v"] * t["x"]) ** 2 - t["v"] * t["x"] * jax.nn.relu(t["v"] * t["x"]))
            + t["w"] * t["x"]
        ),
        {"u": (), "v": (), "w": ()},
        {"x": ()},
    )
    generator = Generator.of(flow)
    assert generator.program.gates and not generator.free_gates
    assert analyze(flow, where=Where(degree=0)).count.upper == 2
    assert Generator.of(two_layers(jax.nn.relu)).free_gates


def test_multi_affine_is_seen_through_every_operation():
    shape = jax.ShapeDtypeStruct((3,), np.float64)

    def affine(function):
        return multi_affine(lift(trace(function, shape, shape)))

    assert affine(lambda a, b: jax.nn.relu(a) * jax.nn.relu(b))
    assert affine(lambda a, b: jax.nn.relu(a) + jax.nn.relu(a))
    assert not affine(lambda a, b: jax.nn.relu(a) * jax.nn.relu(a))
    assert not affine(lambda a, b: jax.nn.relu(a) @ jax.nn.relu(a))
    assert not affine(lambda a, b: (b * (a > 0)) * jnp.cumsum(jax.nn.relu(a)))
    assert not affine(lambda a, b: 1 / (1 + jax.nn.relu(a)))
    assert not affine(lambda a, b: b * jnp.max(a))
    assert not affine(lambda a, b: jnp.exp(jax.nn.relu(a)))
    assert not affine(lambda a, b: jnp.concatenate([jax.nn.relu(a), b])[:3] * (a > 0))


def test_free_gates_span_what_0_and_1_do():
    """Brackets are linear in each letter's field, hence multi-affine in each letter's gates."""
    flow = two_layers(lambda z: jax.nn.relu(z), SMALL)
    generator, field = Generator.of(flow), PrimeField(67108859)
    rng = np.random.default_rng(0)
    place = {b.name: rng.integers(1, field.p, (1, 1, *b.shape)) for b in flow.state}

    def controls():
        return [rng.integers(0, field.p, (1, 1, *c.shape)) for c in generator.controls[:-1]]

    own, weight = controls(), np.ones((1, 1), dtype=np.int64)
    other = Letter(weight, (*controls(), rng.integers(0, 2, (1, 1, 2))))

    def word(gates):
        first = Letter(weight, (*own, np.array(gates)[None, None]))
        return generator.rows(generator.word(field, {}, place, [first, other]), 1)[0]

    m = (12345, 777)
    total = sum(
        word((i, j)) * ((m[0] if i else 1 - m[0]) * (m[1] if j else 1 - m[1]) % field.p)
        for i in (0, 1)
        for j in (0, 1)
    )
    assert np.array_equal(word(m), total % field.p)
    assert np.any(word(m))


def test_ties_of_different_values_are_no_complements():
    """Two relus are equal where both are off, so neither exceeds the other."""
    shape = jax.ShapeDtypeStruct((), np.float64)

    def gates(function):
        return len(lift(trace(function, shape, shape)).gates)

    def both(f, g):
        return lambda a, b: jnp.where(f(a) > g(b), a, 0) + jnp.where(f(a) < g(b), b, 0)

    assert gates(both(lambda a: a, lambda b: b)) == 1
    relu_twice = both(jax.nn.relu, lambda b: 2 * jax.nn.relu(b))
    assert gates(relu_twice) > gates(
        lambda a, b: jnp.where(jax.nn.relu(a) > 2 * jax.nn.relu(b), a, 0)
    )


def test_masks_of_numbers_are_computed_not_compared():
    """ "tril(ones) == 0" compares numbers; as a comparison of values it would hold almost nowhere."""
    shape = jax.ShapeDtypeStruct((3, 3), np.float64)
    program = lift(trace(lambda a: jnp.where(jnp.tril(jnp.ones((3, 3))) == 0, 0.0, a), shape))
    assert not program.gates
    flow = network(
        lambda t: jnp.sum(jnp.where(jnp.tril(jnp.ones((2, 2))) == 0, 0.0, t["A"] * t["x"])),
        {"A": (2, 2)},
        {"x": (2, 2)},
    )
    assert mismatch(flow) < 1e-14
    assert analyze(flow, where=MATRIX).count.upper == 1


def test_folding_does_not_round():
    scalar = jax.ShapeDtypeStruct((), np.float64)
    exact = folded(trace(lambda a: a * (jnp.asarray(0.5) + jnp.asarray(0.25)), scalar))
    assert any(float(v) == 0.75 for v in exact.literals.values() if v.size == 1)
    tenth = lambda: jnp.broadcast_to(jnp.asarray(0.1, float), (1,))  # noqa: E731
    kept = folded(trace(lambda a: a * (tenth() + 2 * tenth()), scalar))
    assert any(i.primitive == "add" for i in kept.instructions)


def test_few_data_of_a_network_are_inputs():
    """One input: V x alone is seen, so V moves along x only. Two inputs in the plane see all of V."""
    one = analyze(two_layers(jax.nn.relu, SMALL, loss=FewData(1)), where=MATRIX)
    assert (one.count.lower, one.count.upper, one.count.status) == (4, 4, "proved")
    two = analyze(two_layers(jax.nn.relu, SMALL, loss=FewData(2)), where=MATRIX)
    assert two.count.upper == 2
    assert "inputs drawn from seed 0" in one.assumes[0]
    other = two_layers(jax.nn.relu, SMALL, loss=FewData(1, seed=5))
    assert analyze(other, where=MATRIX).count.upper == 4


def test_cross_entropy_of_a_network():
    shapes = {"U": (3, 2), "V": (2, 2)}
    found = analyze(two_layers(jax.nn.relu, shapes, loss=CrossEntropy()), where=MATRIX)
    assert (found.count.lower, found.count.upper, found.count.status) == (4, 4, "proved")


def test_one_seed_one_output_and_all_seeds_one_verdict():
    flow = two_layers(lambda z: jnp.clip(z, -1, 1), SMALL)
    first, again, other = (analyze(flow, seed, MATRIX) for seed in (3, 3, 4))
    assert first.certificate == again.certificate
    assert first.certificate != other.certificate
    assert first.count.upper == other.count.upper


def test_scalar_parameters_have_real_gates():
    text = "param w, a\ninput x\nnetwork f = relu(a*relu(w*x))\ngates real\nexpect laws = 1\n"
    (model,) = check_text(text, "s.geo", CheckOptions(verify=False)).models
    assert model.real_gates is not None and model.real_gates.upper == 1
    assert all(isinstance(x, int) for x in model.real_gates.point.values())


def test_an_equality_of_data_is_said_to_be_taken_as_false():
    """At x = 0 exactly w is trained; it is a law of all other data alone."""
    weights = {"a": np.zeros(()), "w": np.zeros(()), "b": np.zeros(())}

    def masked(p, x):
        return jnp.where(x == 0, p["a"] * p["w"], p["a"] * p["b"] * x)

    def scaled(p, x):
        return jnp.maximum(p["a"] * p["b"] * x, 0) + p["w"] * jnp.abs(x)

    said = "with values that `==` or `!=` compares taken as different"
    assert said in analyze(gf.Flow.of_network(masked, weights, np.zeros(()))).assumes
    assert said not in analyze(gf.Flow.of_network(scaled, weights, np.zeros(()))).assumes
