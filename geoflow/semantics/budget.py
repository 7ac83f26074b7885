"""How much work one file may ask for, all its models together: whatever a text says, it is answered soon."""

from __future__ import annotations

from dataclasses import dataclass

MOST_STEPS = 200_000


@dataclass
class Budget:
    """Steps of evaluation, one a definition, a node, a member of a family, a few entries of a known array."""

    steps: int = MOST_STEPS

    @property
    def spent(self) -> bool:
        """Whether nothing is left."""
        return self.steps < 0

    def spend(self, steps: int = 1) -> bool:
        """Take so many steps; whether they were there to take."""
        self.steps -= steps
        return self.steps >= 0
