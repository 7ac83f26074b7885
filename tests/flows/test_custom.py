"""Control-affine systems written out."""

from __future__ import annotations

import pytest

import geoflow as gf
from geoflow.expr.tree import Shape

from .checking import Case, hold, verdict, written_out

BODY = {"L": (3,)}
TORQUES = {"a": (3,)}
PLANE: dict[str, Shape] = {"x": (), "p": ()}
TWO: dict[str, Shape] = {**PLANE, "y": (), "q": ()}


def cross(*omega: str) -> str:
    """L × ω."""
    a, b, c = omega
    return f"[L[1]*({c}) - L[2]*({b}), L[2]*({a}) - L[0]*({c}), L[0]*({b}) - L[1]*({a})]"


SYSTEMS = {
    # u is the tangent of half the heading
    "unicycle": Case(
        lambda: written_out(
            {"x": (), "y": (), "u": ()},
            {
                "x": "a*(1 - u**2)/(1 + u**2)",
                "y": "2*a*u/(1 + u**2)",
                "u": "b*(1 + u**2)/2",
            },
            {"a": (), "b": ()},
        ),
        0,
        wrong=("u", "x*u - y", "x**2 + y**2"),
    ),
    "unicycle on the circle": Case(
        lambda: written_out(
            {"x": (), "y": (), "c": (), "s": ()},
            {"x": "a*c", "y": "a*s", "c": "-b*s", "s": "b*c"},
            {"a": (), "b": ()},
        ),
        1,
        ("c**2 + s**2",),
        ("x**2 + y**2", "c**2 - s**2", "c**2 + 2*s**2"),
    ),
    "cart without steering": Case(
        lambda: written_out({"x": (), "y": ()}, {"x": "3*a", "y": "2*a"}, {"a": ()}),
        1,
        ("2*x - 3*y",),
        ("3*x - 2*y", "x - y"),
    ),
    "rigid body, internal torques": Case(
        lambda: written_out(
            BODY, {"L": cross("L[0] + a[0]", "L[1]/2 + a[1]", "L[2]/3 + a[2]")}, TORQUES
        ),
        1,
        ("sum(L**2)",),
        ("L[0]**2 + L[1]**2/2 + L[2]**2/3", "sum(L)", "L[0]**2 + L[1]**2 - L[2]**2"),
    ),
    "rigid body, one wheel": Case(
        lambda: written_out(BODY, {"L": cross("L[0] + a", "L[1]/2", "L[2]/3")}, {"a": ()}),
        1,
        ("sum(L**2)",),
        ("L[0]**2 + L[1]**2/2 + L[2]**2/3",),
    ),
    "rigid body, external torques": Case(
        lambda: written_out(BODY, {"L": f"a + {cross('L[0]', 'L[1]/2', 'L[2]/3')}"}, TORQUES),
        0,
        wrong=("sum(L**2)",),
    ),
    "free rigid body": Case(
        lambda: written_out(BODY, {"L": cross("L[0]", "L[1]/2", "L[2]/3")}, {}),
        2,
        ("3*L[0]**2 - L[2]**2", "sum(L**2)"),
        ("L[0]**2 - L[2]**2", "sum(L)"),
        ("L[0]**2 + L[1]**2/2 + L[2]**2/3",),
    ),
    "oscillator": Case(
        lambda: written_out(PLANE, {"x": "p", "p": "-4*x"}, {}),
        1,
        ("4*x**2 + p**2",),
        ("x**2 + p**2", "x*p", "4*x**2 - p**2"),
    ),
    "oscillator with a control": Case(
        lambda: written_out(PLANE, {"x": "p", "p": "-4*x + a"}, {"a": ()}),
        0,
        wrong=("4*x**2 + p**2",),
    ),
    "equal oscillators": Case(
        lambda: written_out(TWO, {"x": "p", "p": "-x", "y": "q", "q": "-y"}, {}),
        3,
        ("x**2 + p**2", "x*y + p*q", "y**2 + q**2"),
        ("x*y - p*q", "x**2 + y**2"),
        ("x*q - y*p",),
    ),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_system(name: str) -> None:
    hold(SYSTEMS[name])


@pytest.mark.parametrize(("timed", "count"), [(False, 3), (True, 4)])
def test_uncoupled_oscillators_are_no_direct_sum(timed: bool, count: int) -> None:
    """One field on four coordinates has three laws, not one and one; with t in the state the phases count too."""
    still = " + 0*t" if timed else ""
    flow = written_out(TWO, {"x": f"p{still}", "p": "-x", "y": "q", "q": "-2*y"}, {})
    assert flow.dimension == 4 + timed
    analysis = gf.analyze(flow)
    assert analysis.count.upper == count and analysis.count.lower >= 2
    assert [str(law) for law in analysis.laws] == ["x**2 + p**2", "2*y**2 + q**2"]
    assert verdict(flow, "x**2 + p**2 + 3*(2*y**2 + q**2)") == "proved"
    assert verdict(flow, "x*q - y*p") == "refuted"


def test_time_is_in_the_state_where_a_field_depends_on_it() -> None:
    flow = written_out({"x": ()}, {"x": "t"}, {})
    assert [b.name for b in flow.state] == ["t", "x"]
    count = gf.analyze(flow).count
    assert count.upper == 1
    assert verdict(flow, "2*x - t**2") == "proved"
    assert verdict(flow, "x - t**2") == "refuted"
    assert verdict(flow, "t") == "refuted"
