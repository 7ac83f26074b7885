"""Verification by integration: trajectories for random losses, and how far laws drift on them."""

from geoflow.verify.drift import VerifiedLaw
from geoflow.verify.experiment import Experiment, LawCurves, trajectories, verify
from geoflow.verify.trajectory import symbolic_values

__all__ = [
    "Experiment",
    "LawCurves",
    "VerifiedLaw",
    "symbolic_values",
    "trajectories",
    "verify",
]
