"""Random words mod p by a compiled program, where that pays.

The interpreter runs once on traced arrays, and XLA fuses what it does: about five times as fast as on NumPy arrays,
after a second of compiling. That is worth it for many rows of large fields only, and the decision is by an estimate of
the work, so that it does not depend on the machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.exact.primefield import PrimeField
from geoflow.exact.residues import MOST_BITS, Residues, compilable
from geoflow.lie.bracket import Field, Generator, Letter

_NUMBERS_FOR_AN_INSTRUCTION = 5 * 10**6  # computed in the time that one takes to compile, about


class CompiledWords:
    """The words of a generator; each depth and batch is compiled at its first use."""

    def __init__(self, generator: Generator):
        self.generator = generator
        self.possible = compilable(generator.program)
        numbers = sum(math.prod(s) for i in generator.program.instructions for s in i.out_shapes)
        self._numbers = generator.flow.dimension * (numbers + generator.flow.dimension)
        self._compiled = jax.jit(self._rows)

    def pays(self, field: PrimeField, depth: int) -> bool:
        """Whether as many rows as there are coordinates would be sooner done compiled. A word has 2·depth + 1 fields
        in it, and 3^depth products in each product."""
        if not self.possible or type(field) is not PrimeField or field.p >= 2**MOST_BITS:
            return False
        instructions = len(self.generator.program.instructions) * (2 * depth + 1)
        return self._numbers * 3**depth > _NUMBERS_FOR_AN_INSTRUCTION * instructions

    def rows(
        self,
        field: PrimeField,
        constants: dict[str, np.ndarray],
        point: Field,
        letters: Sequence[Letter],
    ) -> np.ndarray:
        """Rows [batch, N] of residues, as `Generator.word` has them."""
        with jax.enable_x64(True):
            floats = jax.tree.map(
                lambda a: jnp.asarray(a, dtype=jnp.float64),
                (constants, point, [(x.weight, x.controls) for x in letters]),
            )
            return np.asarray(self._compiled(float(field.p), *floats))

    def _rows(
        self, prime: Any, constants: Any, point: Any, letters: list[tuple[Any, tuple[Any, ...]]]
    ) -> Any:
        ring = Residues(prime)
        constants, point, letters = jax.tree.map(ring.reduced, (constants, point, letters))
        word = self.generator.word(ring, constants, point, [Letter(*x) for x in letters])
        return ring.nonnegative(self.generator.rows(word, letters[0][0].shape[1]))
