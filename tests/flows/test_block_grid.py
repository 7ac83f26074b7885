"""Block Fisher metrics of U Vᵀ on a grid of sizes: one law, a ratio of determinants, damped or not."""

from __future__ import annotations

import pytest

from geoflow.options import CheckOptions
from geoflow.pipeline import check_text

SIZES = [(n, m, r) for n in range(1, 5) for m in range(1, 5) for r in range(1, min(n, m) + 1)]


@pytest.mark.slow
@pytest.mark.parametrize("damping", [0, 3])
@pytest.mark.parametrize(("n", "m", "r"), SIZES)
def test_one_law(n: int, m: int, r: int, damping: int) -> None:
    option, shift = (f", damping = {damping}", f" + {damping}*eye(r)") if damping else ("", "")
    text = (
        f"dim n = {n}, m = {m}, r = {r}\nparam U[n, r], V[m, r]\nmap phi = U @ V.T\n"
        f"metric fisher(blocks{option})\n"
        f"law ratio = log(det(U.T @ U{shift})) - log(det(V.T @ V{shift}))\n"
        "expect laws = 1\nexpect complete\n"
    )
    (model,) = check_text(text, "grid.geo", CheckOptions(verify=False)).models
    assert [c.verdict for c in model.claims] == ["proved"] * 3
    wrong = text.replace("- log(det(V", "+ log(det(V")
    (model,) = check_text(wrong, "grid.geo", CheckOptions(verify=False)).models
    assert model.claims[0].verdict == "refuted"
