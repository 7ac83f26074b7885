"""Solvers for diffrax that keep what the flow keeps."""

from geoflow.solvers.gauss_legendre import GaussLegendre

__all__ = ["GaussLegendre"]
