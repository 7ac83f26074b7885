"""Verification by integration: trajectories for random losses, and how far laws drift on them."""

from geoflow.verification.drift import VerifiedLaw
from geoflow.verification.experiment import Experiment, LawCurves, trajectories, verify
from geoflow.verification.trajectory import symbolic_values

__all__ = [
    "Experiment",
    "LawCurves",
    "VerifiedLaw",
    "symbolic_values",
    "trajectories",
    "verify",
]
