"""The working precision of balls.

It is one number of the whole process (`flint.ctx`), so computations in several threads take turns: each would otherwise
change the other's precision, and the last to end would leave its own behind.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import flint

_turn = threading.RLock()


@contextmanager
def working_precision(bits: int) -> Iterator[None]:
    """Balls of so many bits, one thread at a time. Afterwards the precision is what it was."""
    with _turn, flint.ctx.workprec(bits):
        yield
