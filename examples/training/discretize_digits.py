"""Laws of a ReLU network at finite steps, on scikit-learn's digits: drift against step size, for SGD and momentum.

    python examples/training/discretize_digits.py --out drift

Writes a figure an optimizer, drift-sgd.svg and drift-momentum.svg, and prints the slopes: quadratic laws drift like the
step; the column sums of the last layer, which softmax cross-entropy keeps, do not drift at all. Needs scikit-learn.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

import geoflow as gf
from geoflow.report.stepsizes import draw_discretized
from geoflow.training.descent import Data

MODEL = """
param W[8, 16], b[8], V[10, 8]
input x[16]
network g = V @ relu(W @ x + b)
loss cross_entropy
"""


def digits(count: int) -> Data:
    """Images averaged to 4 by 4 pixels, centred, with their classes."""
    data: Any = load_digits()
    images = (data.images[:count] - 8) / 8
    pixels = images.reshape(count, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(count, 16)
    return Data({"x": pixels}, data.target[:count].astype(np.int64), f"{count} digits")


def study(count: int, steps: tuple[float, ...], time: float, seed: int) -> list[Any]:
    """The drifts by step size for SGD and for momentum."""
    flow = gf.loads(MODEL).flow()
    laws = gf.find_laws(flow, seed=seed)
    return [
        replace(
            gf.discretize(
                flow,
                steps,
                optimizer,
                momentum=(0.5,),
                time=time,
                data=digits(count),
                laws=laws,
                seed=seed,
            ),
            model="digits",
        )
        for optimizer in ("sgd", "momentum")
    ]


def main() -> None:
    """Study, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", default="drift", help="the beginning of the figures' names")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--time", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for found in study(given.images, (1e-1, 1e-2, 1e-3), given.time, given.seed):
        for number, slope in enumerate(found.slopes):
            kept = found.survives(number)
            words = "survives every step" if kept else f"drift ~ step^{slope.slope:.2f}"
            print(f"{found.optimizer}: {slope.law}: {words}")
        draw_discretized(f"{given.out}-{found.optimizer}.svg", found)


if __name__ == "__main__":
    main()
