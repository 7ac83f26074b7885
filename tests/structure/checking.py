"""Laws read off φ, and the same laws by the dense engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

import geoflow as gf
from geoflow.expr.printer import print_expr
from geoflow.laws.differential import differentiate
from geoflow.laws.identity import vanishes
from geoflow.lie.bracket import Generator
from geoflow.lie.point import draw_point
from geoflow.structure.symmetries import Symmetries


def array(*shape: int) -> jax.ShapeDtypeStruct:
    """A parameter or input of this shape."""
    return jax.ShapeDtypeStruct(shape, np.float64)


def network(f: Callable[[Any, Any], Any], params: dict[str, Any], *shape: int) -> gf.Flow:
    """The flow of a network on inputs of this shape."""
    return gf.Flow.of_network(f, params, array(*shape))


def shown(flow: gf.Flow) -> list[str]:
    """The laws read off φ, each of which must hold at random points mod p, too."""
    symmetries = Symmetries.of(flow)
    laws = symmetries.laws()
    for law in laws:
        assert symmetries.show(law)
        assert holds(flow, law)
    return [print_expr(law) for law in laws]


def holds(flow: gf.Flow, law: Any) -> bool:
    """Whether dh·G vanishes at random points for random controls; where roots do not exist it is not evaluated."""
    rng = np.random.default_rng(7)
    generator = Generator.of(flow)
    places = [draw_point(generator, rng) for _ in range(2)]
    return False not in vanishes(generator, differentiate(flow, [law]), places, 3)
