"""Metrics: one module each. A metric turns the gradient (a covector) into the direction of steepest descent."""

from geoflow.metric.base import Metric, MetricContext, Setting
from geoflow.metric.diagonal import Euclidean, Scaled
from geoflow.metric.fisher import Fisher
from geoflow.metric.mirror import Mirror
from geoflow.metric.riemannian import Riemannian
from geoflow.metric.signature import NoMetric

__all__ = [
    "Euclidean",
    "Fisher",
    "Metric",
    "MetricContext",
    "Mirror",
    "NoMetric",
    "Riemannian",
    "Scaled",
    "Setting",
]
