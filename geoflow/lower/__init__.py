"""From a checked model to a `Flow`."""

from geoflow.lower.model import lower

__all__ = ["lower"]
