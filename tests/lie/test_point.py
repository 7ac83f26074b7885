"""Random points, letters and words: uniform where they should be, in batches that fit, drawn again where unlucky."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest

import geoflow as gf
from geoflow.exact import linalg
from geoflow.exact.estimates import Estimates
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.primefield import PrimeField
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.lie import point as module
from geoflow.lie.bracket import Generator, Letter
from geoflow.lie.point import (
    INTEGER_BITS,
    ModularPoint,
    draw_point,
    free_letter,
    random_letter,
    random_words,
    whole_point,
)

from .flows import product, with_constants, zeros

TOP = 2**INTEGER_BITS
PLAIN = Generator.of(product(2, 2, 1))
ROOTED = Generator.of(
    gf.Flow(
        lambda p: jnp.stack([jnp.sqrt(p["x"]) * p["y"], p["y"]]),
        zeros(x=(2,), y=(2,)),
        positive=["x"],
    )
)
NAMED = Generator.of(
    with_constants(
        lambda c, p: c["c"] * c["third"] * p["x"] * p["y"],
        {"y": (), "x": ()},
        {"c": None, "third": Fraction(1, 3)},
    )
)
NAMED_ROOTED = Generator.of(
    with_constants(lambda c, p: jnp.sqrt(c["c"] * p["x"]) * p["y"], {"x": (), "y": ()}, {"c": None})
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# --- points


def test_a_point_is_its_integers_in_the_order_of_the_state():
    place = draw_point(NAMED, rng())
    assert [b.name for b in NAMED.flow.state] == ["y", "x"]
    assert place.integers == (int(place.whole["y"].item()), int(place.whole["x"].item()))
    assert place.point["y"].shape == (1, 1) and place.point["y"].dtype == np.int64
    for name, values in place.point.items():
        assert np.array_equal(values, place.whole[name] % place.field.p)


def test_coordinates_are_units_of_the_whole_field():
    """None is 0, and the sample set that the error bound counts is all of them."""
    places = [draw_point(PLAIN, rng(seed)) for seed in range(8)]
    for place in places:
        values = np.array(place.integers)
        assert place.sample_size == place.field.p - 1
        assert np.all((values >= 1) & (values < place.field.p))
    assert max(max(p.integers) for p in places) > 2**25
    assert len({p.field.p for p in places}) > 1


def test_every_number_but_zero_is_a_coordinate(monkeypatch: pytest.MonkeyPatch):
    """Over F₃ each is found in no time."""
    monkeypatch.setattr(module, "draw_prime", lambda *_: 3)
    named = replace(NAMED, flow=NAMED.flow.with_constants({"third": Fraction(1)}))
    plain = [draw_point(PLAIN, rng(seed)) for seed in range(8)]
    symbolic = [draw_point(named, rng(seed)).symbolic["c"].item() for seed in range(8)]
    assert {x for place in plain for x in place.integers} == {1, 2}
    assert set(symbolic) == {1, 2}


def test_constants_are_residues_and_symbolic_ones_are_drawn():
    places = [draw_point(NAMED, rng(seed)) for seed in (0, 0, 1)]
    first, again, other = places
    assert first.symbolic == again.symbolic != other.symbolic
    for place in places:
        p = place.field.p
        assert 3 * place.constants["third"].item() % p == 1
        assert place.constants["c"].item() == place.symbolic["c"].item() % p
        assert place.constants["c"].shape == (1, 1)


def test_a_given_point_is_reduced():
    field = PrimeField(67108859)
    whole = {"x": np.array([[-1]], dtype=object), "y": np.array([[2**90]], dtype=object)}
    generator = Generator.of(gf.Flow(lambda p: p["x"] * p["y"], zeros(x=(), y=())))
    place = whole_point(generator, field, whole)
    assert place.point["x"].item() == field.p - 1
    assert place.point["y"].item() == pow(2, 90, field.p)
    assert place.integers == (-1, 2**90)
    assert place.sample_size == 0
    assert place.field is field
    assert place.symbolic == {} and place.whole is whole


# --- roots


@pytest.mark.parametrize("seed", range(3))
def test_roots_are_taken_at_integer_points_and_square_to_their_radicands(seed: int):
    place = draw_point(ROOTED, rng(seed))
    assert all(1 <= k < TOP for k in place.integers)
    assert place.sample_size == TOP - 1
    assert type(place.field) is PrimeField
    roots = place.field.roots
    assert roots is not None
    assert set(place.point["x"].ravel().tolist()) <= set(roots)
    assert all(r * r % place.field.p == x for x, r in roots.items())
    assert max(place.integers) > 1000


def test_the_next_point_is_near_but_another():
    first = draw_point(ROOTED, rng())
    second = draw_point(ROOTED, rng(1), near=first)
    steps = np.subtract(second.integers, first.integers)
    assert np.all((steps >= 0) & (steps < 2**10))
    assert len(set(steps[:2].tolist())) == 2  # each coordinate has a step of its own
    assert second.sample_size == 2**10 - 1
    assert second.field.p != first.field.p
    assert {n: v.shape for n, v in second.whole.items()} == {"x": (1, 1, 2), "y": (1, 1, 2)}


def test_one_is_the_least_coordinate_and_zero_the_least_step(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "INTEGER_BITS", 1)
    monkeypatch.setattr(module, "_NEARBY", 1)
    for generator in (ROOTED, NAMED_ROOTED):
        place = draw_point(generator, rng())
        assert set(place.integers) == {1}
        assert all(v.item() == 1 for v in place.symbolic.values())
        assert draw_point(generator, rng(1), near=place).integers == place.integers


def test_symbolic_constants_beside_roots():
    first = draw_point(NAMED_ROOTED, rng())
    c = first.symbolic["c"]
    assert c.shape == (1, 1) and 1 <= c.item() < TOP
    assert first.constants["c"].item() == c.item() % first.field.p
    assert first.field.roots is not None
    assert int(c.item()) * first.integers[0] % first.field.p in first.field.roots
    near = draw_point(NAMED_ROOTED, rng(1), near=first)
    assert 0 <= near.symbolic["c"].item() - c.item() < 2**10
    others = {draw_point(NAMED_ROOTED, rng(s), near=first).symbolic["c"].item() for s in range(4)}
    assert len(others) > 1


def test_roots_that_a_law_takes_are_chosen_with_those_of_the_flow():
    seen = []

    def visit(ring, constants, point):
        seen.append((constants, point))
        return ring.smooth("sqrt", point["U"] * point["V"][..., :1])

    place = draw_point(PLAIN, rng(), visit=visit)
    assert place.sample_size == TOP - 1
    roots = place.field.roots
    assert roots is not None
    u, v = place.point["U"].reshape(2, 2), place.point["V"].reshape(1, 2)
    radicands = (u * v[..., :1] % place.field.p).ravel().tolist()
    assert set(radicands) <= set(roots)
    assert {n: x.shape for n, x in seen[0][1].items()} == {"U": (1, 1, 2, 2), "V": (1, 1, 1, 2)}


def test_a_law_may_take_roots_of_constants():
    def visit(ring, constants, point):
        return ring.smooth("sqrt", constants["third"] * point["x"])

    place = draw_point(NAMED, rng(), visit=visit)
    radicand = place.constants["third"].item() * place.point["x"].item() % place.field.p
    assert place.field.roots is not None and radicand in place.field.roots


def test_too_many_independent_roots_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_INDEPENDENT", 2)
    assert draw_point(ROOTED, rng()).field.roots
    monkeypatch.setattr(module, "MOST_INDEPENDENT", 1)
    with pytest.raises(UnsupportedPrimitive, match="more than 1 independent square roots"):
        draw_point(ROOTED, rng())


def test_a_flow_of_functions_is_drawn_in_a_field_of_tokens():
    generator = Generator.of(
        gf.Flow(lambda p: jnp.exp(jnp.sqrt(p["x"])), zeros(x=()), positive=["x"])
    )
    place = draw_point(generator, rng())
    assert isinstance(place.field, Estimates)
    assert place.sample_size == place.field.p - 1
    assert type(draw_point(PLAIN, rng()).field) is PrimeField


# --- luck


def test_a_flow_that_is_defined_nowhere_is_given_up():
    nowhere = Generator.of(gf.Flow(lambda p: p["y"] / (p["x"] - p["x"]), zeros(x=(), y=())))
    with pytest.raises(UnluckyPoint):
        draw_point(nowhere, rng())


def test_points_at_poles_are_drawn_again(monkeypatch: pytest.MonkeyPatch):
    """Over F₃ every second point of 1/(x − 1) is a pole."""
    monkeypatch.setattr(module, "draw_prime", lambda *_: 3)
    pole = Generator.of(gf.Flow(lambda p: 1 / (p["x"] - 1), zeros(x=())))
    assert {draw_point(pole, rng(seed)).integers for seed in range(8)} == {(2,)}


def test_roots_of_negative_numbers_are_drawn_again():
    """√(x − y) is real for every second point."""
    half = Generator.of(gf.Flow(lambda p: jnp.sqrt(p["x"] - p["y"]), zeros(x=(), y=())))
    for seed in range(6):
        x, y = draw_point(half, rng(seed)).integers
        assert x > y


def test_a_point_at_which_no_word_can_be_drawn_is_left(monkeypatch: pytest.MonkeyPatch):
    words = iter([np.zeros((0, 6)), np.zeros((1, 6))])
    drawn: list[ModularPoint] = []

    def few(generator, place, *rest):
        drawn.append(place)
        return next(words)

    monkeypatch.setattr(module, "random_words", few)
    assert draw_point(PLAIN, rng()) is drawn[1]
    assert len(drawn) == 2


# --- primes


def test_the_primes_of_large_states_are_small(monkeypatch: pytest.MonkeyPatch):
    assert draw_point(PLAIN, rng()).field.p > 2**25
    monkeypatch.setattr(module, "_LARGE_STATE", 7)
    assert draw_point(PLAIN, rng()).field.p > 2**25
    monkeypatch.setattr(module, "_LARGE_STATE", 6)
    assert PLAIN.flow.dimension == 6
    assert draw_point(PLAIN, rng()).field.p < 2**22
    assert draw_point(PLAIN, rng()).field.p > 2**20


# --- letters


def test_letters_are_uniform_and_weights_are_units():
    field = PrimeField(7)
    letter = random_letter(PLAIN, field, rng(), 400)
    assert letter.weight.shape == (1, 400)
    assert set(letter.weight.ravel().tolist()) == set(range(1, 7))
    (control,) = letter.controls
    assert control.shape == (1, 400, 2, 1)
    assert set(control.ravel().tolist()) == set(range(7))


def test_choices_are_drawn_beside_numbers():
    flow = gf.Flow.of_network(
        lambda p, x: jnp.max(p["W"] @ x), zeros(W=(2, 2)), np.zeros(2), order=1
    )
    letter = random_letter(Generator.of(flow), PrimeField(7), rng(), 9)
    assert np.array_equal(letter.controls[-1].sum(axis=2), np.ones((1, 9)))


def test_a_free_letter_is_random_in_the_field_of_the_point():
    place = draw_point(PLAIN, rng())
    drawn, direct = (
        free_letter(PLAIN, place, rng(3), 5),
        random_letter(PLAIN, place.field, rng(3), 5),
    )
    assert np.array_equal(drawn.weight, direct.weight)
    assert np.array_equal(drawn.controls[0], direct.controls[0])


# --- words


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_words_are_as_many_as_asked_for_in_whatever_chunks(
    depth: int, monkeypatch: pytest.MonkeyPatch
):
    place = draw_point(PLAIN, rng())
    whole = random_words(PLAIN, place, rng(1), depth, 9)
    assert whole.shape == (9, 6)
    sizes: list[int] = []

    def noted(generator, place, rng, batch) -> Letter:
        sizes.append(batch)
        return free_letter(generator, place, rng, batch)

    random_words(PLAIN, place, rng(1), depth, 9, noted)
    assert sizes == [9] * (depth + 1)
    sizes.clear()
    widest = 4  # numbers in an intermediate result for one word without nilpotents
    monkeypatch.setattr(module, "_CHUNK", 4 * widest * 3**depth)
    parts = random_words(PLAIN, place, rng(1), depth, 9, noted)
    assert parts.shape == (9, 6)
    assert sizes == [4] * (depth + 1) + [4] * (depth + 1) + [1] * (depth + 1)
    assert linalg.rank(parts, place.field.p) == linalg.rank(whole, place.field.p)
    monkeypatch.setattr(module, "_CHUNK", 1)
    sizes.clear()
    assert random_words(PLAIN, place, rng(1), depth, 3, noted).shape == (3, 6)
    assert set(sizes) == {1}


def test_numbers_are_small_where_all_are_scalars(monkeypatch: pytest.MonkeyPatch):
    generator = Generator.of(gf.Flow(lambda p: p["x"] * p["y"], zeros(x=(), y=())))
    monkeypatch.setattr(module, "_CHUNK", 6)
    sizes: list[int] = []

    def noted(generator, place, rng, batch) -> Letter:
        sizes.append(batch)
        return free_letter(generator, place, rng, batch)

    random_words(generator, draw_point(generator, rng()), rng(), 0, 9, noted)
    assert sizes == [6, 3]


def test_words_are_brackets_of_independent_letters():
    place = draw_point(PLAIN, rng())
    stream = rng(5)
    letters = [free_letter(PLAIN, place, stream, 2) for _ in range(2)]
    value = PLAIN.word(place.field, place.constants, place.point, letters)
    assert np.array_equal(random_words(PLAIN, place, rng(5), 1, 2), PLAIN.rows(value, 2))
    assert np.any(PLAIN.rows(value, 2))


# --- data under roots


@cache
def data() -> Generator:
    """A network; made when it is needed, since the values of a few data are looked at."""
    weights = zeros(z=(), w=())
    return Generator.of(
        gf.Flow.of_network(
            lambda p, x: p["z"] * jnp.sqrt(1 + (p["w"] * x) ** 2), weights, np.zeros(())
        )
    )


def test_data_without_roots_are_rejected_and_drawn_again():
    """Every second datum has no root mod p; as many words as asked for come of the others."""
    place = draw_point(data(), rng())
    assert data().estimated
    batches: list[Letter] = []

    def noted(generator, place, rng, batch) -> Letter:
        letter = free_letter(generator, place, rng, batch)
        batches.append(letter)
        return letter

    rows = random_words(data(), place, rng(2), 1, 20, noted)
    assert rows.shape == (20, 2)
    assert sum(x.weight.shape[1] for x in batches) > 40
    p = place.field.p
    w = place.point["w"].item()
    drawn = np.concatenate([x.controls[0].ravel() for x in batches])
    radicands = (1 + (w * drawn % p) ** 2) % p
    squares = np.array([pow(int(r), (p - 1) // 2, p) in (0, 1) for r in radicands])
    assert 0 < squares.mean() < 1


def test_usable_data_are_collected_until_they_are_enough():
    """One of each draw: three draws make three words, of the three data and their cotangents."""
    place = draw_point(data(), rng())
    p, w = place.field.p, int(place.point["w"].item())
    usable = {x: pow((1 + (w * x) ** 2) % p, (p - 1) // 2, p) in (0, 1) for x in range(1, 100)}
    good = [x for x, fine in usable.items() if fine]
    bad = next(x for x, fine in usable.items() if not fine)
    asked: list[int] = []

    def draw(generator, place, rng, batch) -> Letter:
        own = np.full((1, batch), bad, dtype=np.int64)
        own[0, 0] = good[len(asked)]
        asked.append(batch)
        return Letter(np.ones((1, batch), dtype=np.int64), (own, np.full((1, batch), len(asked))))

    rows = random_words(data(), place, rng(), 0, 3, draw)
    assert len(asked) == 3
    field = Estimates(p)
    expected = [
        data().rows(
            data()(
                field,
                place.constants,
                place.point,
                Letter(np.ones((1, 1), dtype=np.int64), (np.array([[x]]), np.array([[k]]))),
            ),
            1,
        )[0]
        for k, x in enumerate(good[:3], 1)
    ]
    assert np.array_equal(rows, expected)
    asked.clear()
    letter = module._with_roots(draw)(data(), place, rng(), 3)
    assert letter.weight.tolist() == [[1, 1, 1]]
    assert [c.shape for c in letter.controls] == [(1, 3), (1, 3)]


def test_data_that_are_never_usable_are_given_up(monkeypatch: pytest.MonkeyPatch):
    place = draw_point(data(), rng())
    p, w = place.field.p, int(place.point["w"].item())
    bad = next(
        x for x in range(1, 100) if pow((1 + (w * x) ** 2) % p, (p - 1) // 2, p) not in (0, 1)
    )
    asked: list[int] = []

    def draw(generator, place, rng, batch) -> Letter:
        asked.append(batch)
        letter = free_letter(generator, place, rng, batch)
        own, *rest = letter.controls
        return Letter(letter.weight, (np.full_like(own, bad), *rest))

    monkeypatch.setattr(module, "_TRIES", 5)
    with pytest.raises(UnluckyPoint):
        random_words(data(), place, rng(), 0, 3, draw)
    assert len(asked) == 5


def test_words_without_roots_reject_no_data():
    generator = Generator.of(
        gf.Flow.of_network(
            lambda p, x: p["z"] * jnp.tanh(p["w"] * x), zeros(z=(), w=()), np.zeros(())
        )
    )
    place = draw_point(generator, rng())
    asked: list[int] = []

    def noted(generator, place, rng, batch) -> Letter:
        asked.append(batch)
        return free_letter(generator, place, rng, batch)

    assert random_words(generator, place, rng(), 0, 5, noted).shape == (5, 2)
    assert asked == [5]


def test_words_at_poles_of_data_are_left_out_and_forgotten():
    flow = gf.Flow.of_network(
        lambda p, x: p["z"] * jnp.tanh(p["w"] * x) / (x - 1), zeros(z=(), w=()), np.zeros(())
    )
    generator = Generator.of(flow)
    place = draw_point(generator, rng())

    def draw(data: list[int]):
        def drawn(generator, place, rng, batch) -> Letter:
            own = np.array([data], dtype=np.int64)
            return Letter(np.ones_like(own), (own, np.ones_like(own)))

        return drawn

    assert len(random_words(generator, place, rng(), 0, 3, draw([5, 1, 7]))) == 2
    assert len(random_words(generator, place, rng(), 0, 3, draw([1, 1, 1]))) == 0
    assert len(random_words(generator, place, rng(), 0, 3, draw([5, 6, 7]))) == 3
