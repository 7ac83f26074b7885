"""Laws that need the relations of a token id: in its one-hot row two entries have product 0, and all have sum 1."""

import pytest

from geoflow.exact.polynomials import Polynomials
from geoflow.options import CheckOptions
from geoflow.pipeline import check_text

PRODUCT = """
param E[3], F[3]
input tokens[1] below 3
network g = (tokens @ E)*(tokens @ F)
law rows = E**2 - F**2
law wrong = E**2 - 2*F**2
law crossed = E[0]**2 - F[1]**2
expect laws = 3
expect complete
"""

SUM = """
param a, b
input tokens[2] below 3
network g = (tokens[0, 0] + tokens[0, 1] + tokens[0, 2])*a + tokens[1, 0]*b + sum(tokens[1, 1:3])*b
law difference = a - b
expect complete
"""


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        (PRODUCT, ["proved", "refuted", "refuted", "proved", "proved"]),
        (SUM, ["proved", "proved"]),
    ],
)
def test_one_hot_rows_obey_their_relations(text: str, verdicts: list[str]) -> None:
    (model,) = check_text(text, "tokens.geo", CheckOptions(verify=False)).models
    assert [c.verdict for c in model.claims] == verdicts


def test_what_vanishes_on_all_rows_is_zero() -> None:
    ring = Polynomials(["e0", "e1", "f0", "f1", "x"], onehot=[(0, 1), (2, 3)])
    e0, e1, f0, f1, x = ring.variables
    for zero in (e0 * e1, e0 * e0 - e0, e0 + e1 - 1, (e0 + e1) * (f0 + f1) * x - x):
        assert ring.is_zero(zero)
    for other in (e0 * f1, e0 + f1 - 1, e0 - e1, x * x - x, e0 * f0 * x + e1 * f1 * x - x):
        assert not ring.is_zero(other)
