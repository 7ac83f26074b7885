"""Metrics: one module each. A metric turns the gradient (a covector) into the direction of steepest descent."""

from geoflow.metric.base import Metric, MetricContext, NoMetric, Setting
from geoflow.metric.diagonal import Euclidean, Scaled
from geoflow.metric.expectation import GaussianData, Points
from geoflow.metric.fisher import Fisher
from geoflow.metric.mirror import Mirror
from geoflow.metric.riemannian import Riemannian

__all__ = [
    "Euclidean",
    "Fisher",
    "GaussianData",
    "Metric",
    "MetricContext",
    "Mirror",
    "NoMetric",
    "Points",
    "Riemannian",
    "Scaled",
    "Setting",
]
