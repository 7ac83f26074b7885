"""`assert_conserved`: for the tests of a project that trains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from geoflow.laws.law import Law
from geoflow.training.record import relative
from geoflow.training.watched import Source, leaves, watched


def assert_conserved(
    source: Source,
    *given: Any,
    along: Iterable[Any],
    laws: Sequence[Law | str] | None = None,
    names: Mapping[str, str] | None = None,
    tolerance: float = 1e-6,
    moved: float = 1e-3,
    seed: int = 0,
) -> None:
    """Fail unless every law keeps its value along a run: `along` is a sequence of parameter trees, at least two.

    `source` and what follows, `laws`, `names`: as for `watch`. `tolerance` is relative to the sum of a law's absolute
    terms. Where the parameters move by less than `moved`, relative to their norm, nothing would be tested, so that
    fails too.

    Raises:
        AssertionError: a law drifts, a value is not finite, or the parameters do not move.
        ValueError: a law that is named does not hold, there is none, or a parameter is missing.
    """
    found = watched(source, *given, laws=laws, seed=seed)
    points = [leaves(tree, found.names, names or {}) for tree in along]
    if len(points) < 2:
        raise ValueError(f"a run has at least two points, and this one has {len(points)}")
    flat = [np.concatenate([np.ravel(np.asarray(x)) for x in p.values()]) for p in points]
    if not all(np.isfinite(x).all() for x in flat):
        raise AssertionError("a parameter is not finite along the run")
    size = max(float(np.linalg.norm(x)) for x in flat)
    went = max(float(np.linalg.norm(x - flat[0])) for x in flat) / size if size else 0.0
    if went < moved:
        raise AssertionError(
            f"the parameters move by {went:.1e} of their norm, less than {moved:.0e}: nothing is tested"
        )
    failed = []
    for law, label in zip(found.laws, found.labels, strict=True):
        values = [np.asarray(law.at(p)) for p in points]
        scale = np.max([np.asarray(found.scale(law, p)) for p in points], axis=0)
        drift = max(relative(v - values[0], scale) for v in values)
        if not drift <= tolerance:
            failed.append(f"{label} drifts by {drift:.1e}, tolerance {tolerance:.0e}")
    if failed:
        raise AssertionError("; ".join(failed))
