"""geoflow: exactly how many conservation laws the training of a model has, which they are, and a proof.

The public names are loaded when they are first used: importing geoflow imports neither JAX nor SymPy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geoflow.api import analyze as analyze
    from geoflow.api import check as check
    from geoflow.api import check_law as check_law
    from geoflow.api import count_laws as count_laws
    from geoflow.api import find_laws as find_laws
    from geoflow.api import load as load
    from geoflow.api import loads as loads
    from geoflow.api import verify as verify
    from geoflow.diagnostics import DiagnosticError as DiagnosticError
    from geoflow.flow import Flow as Flow
    from geoflow.laws.law import Law as Law
    from geoflow.lossclass import AnyLoss as AnyLoss
    from geoflow.lossclass import CrossEntropy as CrossEntropy
    from geoflow.lossclass import FewData as FewData
    from geoflow.metric import Euclidean as Euclidean
    from geoflow.metric import Mirror as Mirror
    from geoflow.metric import Scaled as Scaled
    from geoflow.primitives import det as det
    from geoflow.primitives import inv as inv
    from geoflow.results import VerifySettings as VerifySettings
    from geoflow.solvers import GaussLegendre as GaussLegendre
    from geoflow.training.conserved import assert_conserved as assert_conserved
    from geoflow.training.csvlog import CsvLog as CsvLog
    from geoflow.training.descent import discretize as discretize
    from geoflow.training.monitor import watch as watch

_HOME = {
    "AnyLoss": "geoflow.lossclass",
    "CsvLog": "geoflow.training.csvlog",
    "CrossEntropy": "geoflow.lossclass",
    "DiagnosticError": "geoflow.diagnostics",
    "Euclidean": "geoflow.metric",
    "FewData": "geoflow.lossclass",
    "Flow": "geoflow.flow",
    "GaussLegendre": "geoflow.solvers",
    "Law": "geoflow.laws.law",
    "Mirror": "geoflow.metric",
    "Scaled": "geoflow.metric",
    "VerifySettings": "geoflow.results",
    "analyze": "geoflow.api",
    "assert_conserved": "geoflow.training.conserved",
    "check": "geoflow.api",
    "check_law": "geoflow.api",
    "count_laws": "geoflow.api",
    "det": "geoflow.primitives",
    "discretize": "geoflow.training.descent",
    "find_laws": "geoflow.api",
    "inv": "geoflow.primitives",
    "load": "geoflow.api",
    "loads": "geoflow.api",
    "verify": "geoflow.api",
    "watch": "geoflow.training.monitor",
}
__all__ = sorted(_HOME)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("geoflow")
    if name not in _HOME:
        raise AttributeError(f"module 'geoflow' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext geoflow` calls: adds the `%%geoflow` magic."""
    from geoflow.extras import needing

    with needing("IPython", "notebook", "the magic of notebooks"):
        from geoflow.magic import GeoflowMagics

    shell.register_magics(GeoflowMagics)


def __dir__() -> list[str]:
    return __all__
