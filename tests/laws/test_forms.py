"""Laws as people write them: matrix forms, left-over scalars, one text for every seed."""

from __future__ import annotations

import pytest

from .checking import check, found, verdicts

# model text: laws found, their number
FORMS = {
    "param U[4, 3], V[5, 3]\nmap phi = U @ V.T": (["U.T @ U - V.T @ V"], 6),
    "param A[2, 3], B[3, 2], C[2, 2]\nmap phi = A @ B @ C": (
        ["A.T @ A - B @ B.T", "B.T @ B - C @ C.T"],
        9,
    ),
    "param x, y, z\nmap phi = x*y*z": (["x**2 - z**2", "y**2 - z**2"], 2),
    "param u[3], v[3]\nmap phi = u*v": (["u**2 - v**2"], 3),
    "param U[3, 2] > 0, V[2, 2] > 0\nmap phi = U @ V.T\nmetric mirror(entropy)": (
        ["sum(U, axis=0) - sum(V, axis=0)"],
        2,
    ),
    "param u[2] > 0, v[2] > 0\nmap phi = u*v\nmetric mirror(log_barrier)": (["log(u) - log(v)"], 2),
    "param u[2] > 0, v[2] > 0\nmap phi = u*v\nmetric mirror(power(3))": (["u**3 - v**3"], 2),
    "param x, y\nmap phi = x + y": (["x - y"], 1),
    "param x, y, z\nmap phi = x*y": (["x**2 - y**2", "z"], 2),
    "param x, y\nmap phi = x*y\nmetric scaled(1/3) on x": (["3*x**2 - y**2"], 1),
    "param x, y\nmap phi = x/y": (["x**2 + y**2"], 1),
}


@pytest.mark.parametrize("text", FORMS)
def test_the_laws_found(text: str):
    laws, count = FORMS[text]
    model = check(text)
    assert sorted(law.text for law in model.found) == sorted(laws)
    assert {law.status for law in model.found} == {"proved"}
    assert (model.laws.lower, model.laws.upper, model.laws.status) == (count, count, "proved")
    assert sum(law.independent for law in model.found) == count


SEEDED = [
    "param U[3, 2], V[2, 2]\nmap phi = U @ V.T",
    "param x, y, z\nmap phi = [x*y, y*z]",
    "param u[2], v[2], w\nmap phi = w*dot(u, v)",
    "param U[1, 2], V[2, 2]\nmap phi = U @ V.T\nflow order 2 damping 1/2",
    "param x > 0, y > 0\nmap phi = x**2*y\nmetric mirror(entropy)",
    "const c symbolic\nparam x, y\nmap phi = c*x*y + c*x\nmetric scaled(c) on y",
]


@pytest.mark.parametrize("text", SEEDED)
def test_the_text_is_the_same_for_every_seed(text: str):
    texts = {tuple(found(text, seed)) for seed in range(4)}
    assert len(texts) == 1
    assert texts != {()}


@pytest.mark.parametrize("text", SEEDED)
def test_laws_found_can_be_claimed_in_their_own_words(text: str):
    """print ∘ parse: the text of a law, claimed, is proved, and the claims are all."""
    laws = found(text)
    claims = "\n".join(f"law claimed{k} = {law}" for k, law in enumerate(laws))
    before, after = check(text), check(f"{text}\n{claims}")
    assert set(verdicts(after).values()) == {"proved"}
    assert [law.text for law in after.found] == laws
    assert [law.independent for law in after.found] == [law.independent for law in before.found]


def test_what_no_matrix_form_says_is_left_over_as_scalars():
    model = check("param U[2, 2], V[2, 2]\nmap phi = U[0, :] @ V.T\nexpect complete")
    assert verdicts(model) == {"expect complete": "proved"}
    assert model.laws.upper == sum(law.independent for law in model.found)
    assert any("U[1, 0]" in law.text or "U[1" in law.text for law in model.found)


def test_the_symmetries_are_said():
    by_law = {
        "param U[4, 3], V[5, 3]\nmap phi = U @ V.T": "U → U G, V → V G⁻ᵀ",
        "param U[3, 2] > 0, V[2, 2] > 0\nmap phi = U @ V.T\nmetric mirror(entropy)": (
            "U → c·U, V → c^(-1)·V, slice by slice"
        ),
        "param u[3], v[3]\nmap phi = u*v": "u → c·u, v → c^(-1)·v, entry by entry",
        "param U[2, 2], V[2, 2]\nmap phi = U @ V.T\nflow order 2": "U → U R, V → V R, R orthogonal",
    }
    for text, symmetry in by_law.items():
        assert [law.symmetry for law in check(text).found] == [symmetry]


def test_latex_and_sympy_are_given():
    (law,) = check("param U[2, 2], V[1, 2]\nmap phi = U @ V.T").found
    assert "\\top" in law.latex
    assert law.entries == 4
    assert law.independent == 3
