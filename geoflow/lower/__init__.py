"""From a checked model to a `Flow`."""

from geoflow.lower.initialization import point_of
from geoflow.lower.model import lower

__all__ = ["lower", "point_of"]
