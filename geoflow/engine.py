"""JAX and what computes with it, loaded in one piece: an exception half-way through would crash native code."""

from __future__ import annotations

import sys

from geoflow.signals import held


def load_engine() -> None:
    """Load it, where it is not loaded. A signal that comes meanwhile is heard afterwards."""
    if "jax" not in sys.modules:
        with held():
            import geoflow.analysis  # noqa: F401
