"""Files compared: their models, or the standard flows on one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from geoflow.diagnostics import Diagnostic, DiagnosticError, sort_diagnostics
from geoflow.engine import load_engine
from geoflow.options import CheckOptions
from geoflow.pipeline import read_models
from geoflow.reach import reachable
from geoflow.results import Comparison


def compare_files(paths: Sequence[str], flows: bool, options: CheckOptions) -> Comparison:
    """Compare all models of the files, or the standard flows on the first model's parametrization.

    Raises:
        DiagnosticError: a file is wrong, or a model out of the method's reach.
    """
    load_engine()
    from geoflow.compare import NATURAL, compare_flows, standard_flows
    from geoflow.deadline import Deadline
    from geoflow.lower import lower

    loaded = [read_models(path, options) for path in paths]
    errors = [d for _, found in loaded for d in found if d.severity == "error"]
    if errors:
        raise DiagnosticError(*sort_diagnostics(errors))
    models = [m for found, _ in loaded for m in found]
    deadline = Deadline.after(options.timeout)
    if flows and models[0].fields:
        message = "`--flows` takes a map or a network, and this model is a system written out."
        span = models[0].fields[0].span
        raise DiagnosticError(Diagnostic("GEO0407", message, span, "no map to be trained"))

    def work() -> Comparison:
        made = {
            m.name if len(paths) == 1 else f"{m.name} ({m.file})": lower(m, options.seed)
            for m in models
        }
        if not flows:
            return compare_flows(made, options.seed, deadline, options.memory)
        made = standard_flows(next(iter(made.values())))
        found = compare_flows(made, options.seed, deadline, options.memory)
        return replace(found, left_out=tuple(n for n in NATURAL if n not in made))

    return reachable(models[0], work)
