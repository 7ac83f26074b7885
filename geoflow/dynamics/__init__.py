"""The flows: one module each. A flow turns a parametrization into a control-affine system z' = F₀(z) + G_b(z)."""

from geoflow.dynamics.adaptive import Adam, RMSProp
from geoflow.dynamics.base import Decay, Dynamics
from geoflow.dynamics.custom import Custom
from geoflow.dynamics.gradient import Gradient
from geoflow.dynamics.momentum import Momentum
from geoflow.dynamics.sign import SignDescent

__all__ = ["Adam", "Custom", "Decay", "Dynamics", "Gradient", "Momentum", "RMSProp", "SignDescent"]
