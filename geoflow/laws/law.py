"""`Law`: one conservation law (every entry of one expression) that can be printed, converted and called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from geoflow.arguments import name_leaves
from geoflow.expr.evaluate import evaluate, rationals
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Apply, Expr, Number, Parameter, Time, Velocity, walk
from geoflow.extras import needing
from geoflow.flow import Flow
from geoflow.laws.tokens import environment
from geoflow.parametrization import TIME
from geoflow.results import Verdict
from geoflow.trainable import trainable


@dataclass(frozen=True, eq=False, repr=False)
class Law:
    """Every entry of `expression` is conserved. `independent`: how many of the entries are independent laws;
    `added`: how many of them are new beside the laws listed before it; `reason`: why there is no proof, if known."""

    expression: Expr
    flow: Flow = field(repr=False)
    status: Verdict
    independent: int
    added: int
    symmetry: str = ""
    reason: str = ""

    def __str__(self) -> str:
        return print_expr(self.expression)

    def __repr__(self) -> str:
        return f"Law({str(self)!r}, {self.status}, independent={self.independent})"

    @property
    def kind(self) -> str:
        """polynomial, rational, logarithmic or time-dependent."""
        nodes = list(walk(self.expression))
        operations = {n.operation for n in nodes if isinstance(n, Apply)}
        if any(isinstance(n, Time) for n in nodes):
            return "time-dependent"
        if "log" in operations:
            return "logarithmic"
        divided = any(
            isinstance(n, Apply)
            and (
                (
                    n.operation == "div"
                    and not isinstance(n.arguments[1], Number)
                    and not _constant(n.arguments[1])
                )
                or n.operation == "inv"
                or (n.operation == "pow" and n.option("exponent") < 0)
            )
            for n in nodes
        )
        return "rational" if divided else "polynomial"

    @property
    def entries(self) -> int:
        """Number of entries."""
        return int(np.prod(self.expression.shape, dtype=np.int64))

    def at(self, point: Mapping[str, Any], symbolic: Mapping[str, Any] | None = None) -> jax.Array:
        """The value at a point of the state (arrays by block name: `U`, `U'`, `t`), by JAX."""
        exact = {**self.flow.constants, **rationals([self.expression])}
        constants = {
            n: float(v) if v is not None else (symbolic or {}).get(n, 1.0) for n, v in exact.items()
        }
        return evaluate((self.expression,), environment(constants, point))[0]

    def jax(self, **symbolic: float) -> Callable[..., jax.Array]:
        """A pure function of the parameters (order 2: of parameters, velocities and t), in the pytree the flow was
        made from; it can be jitted, differentiated and vmapped. Values of symbolic constants as keywords, else 1."""

        def law(params: Any, velocity: Any = None, t: Any = 0.0) -> jax.Array:
            point = self._arrays(params)
            if velocity is not None:
                point |= {f"{n}'": v for n, v in self._arrays(velocity).items()}
                point[TIME] = t
            elif self.flow.order == 2:
                raise TypeError("this law needs the velocity too: law(params, velocity, t)")
            return self.at(point, symbolic)

        return law

    def torch(self, **symbolic: float) -> Callable[..., Any]:
        """A function of a PyTorch module, or of tensors by the names of the flow's parameters; differentiable. From
        the expression itself, operation by operation. Needs PyTorch; laws of flows of order 2 have none yet.

        Raises:
            ValueError: the law reads velocities or time.
        """
        if any(isinstance(n, Velocity | Time) for n in walk(self.expression)):
            raise ValueError("a law of velocities or of time has no PyTorch form yet")
        with needing("torch", "torch", "a law for PyTorch"):
            from geoflow.expr.torch import torch_law

        exact = {**self.flow.constants, **rationals([self.expression])}
        values = {n: symbolic.get(n, 1.0) if v is None else float(v) for n, v in exact.items()}
        return torch_law(self.expression, values)

    def _arrays(self, params: Any) -> dict[str, Any]:
        """The arrays of a tree like the one that the flow was made from, by name."""
        if self.flow.parametrization.data:
            return dict(trainable(params).arrays)
        names, leaves, _ = name_leaves(params)
        return dict(zip(names, leaves, strict=True))

    def sympy(self) -> Any:
        """A SymPy expression, or an N-dimensional array of them, in symbols named like the entries (`U[0, 1]`)."""
        from geoflow.expr.convert import expression_to_sympy

        return expression_to_sympy(self.expression, self.flow.constants)

    def latex(self) -> str:
        """LaTeX of the law as it is written: `U^\\top U - V^\\top V`."""
        from geoflow.expr.latex import latex_expr

        return latex_expr(self.expression)

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


def _constant(expr: Expr) -> bool:
    return not any(isinstance(n, Parameter | Velocity) for n in walk(expr))
