"""Metrics: one module each. A metric turns the gradient (a covector) into the direction of steepest descent."""

from geoflow.metric.base import Metric
from geoflow.metric.diagonal import Euclidean, Scaled
from geoflow.metric.mirror import Mirror

__all__ = ["Euclidean", "Metric", "Mirror", "Scaled"]
