"""Natural gradient: Fisher metrics M = Jᵀ F J of φ, with F the Fisher information of the output distribution.

*full*: M on all its parameters together. Where F is invertible (or damped), M⁺Jᵀ = Jᵀ(…) has range Jᵀ, so the flow
has exactly the laws of the Euclidean one; with a singular F (categorical) the range is Jᵀ(range F). `spanning` uses
these identities, which need no rank condition. *blocks*: one block a parameter; *diagonal*: the diagonal of M.
`damping` c adds c·I.

A block with more parameters than outputs is singular everywhere; with independent rows of J its pseudo-inverse is
Jᵀ(JJᵀ)⁻¹F⁻¹(JJᵀ)⁻¹J. The rank of J is then the number of outputs wherever JJᵀ is invertible, which is an open dense set
or empty: the genericity of the rank is shown by every point at which the inverse exists. A block whose rank is below
both numbers has no inverse at any point, and the flow is reported as undefined.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.expr.build import function, matmul, power, total, transpose
from geoflow.expr.evaluate import Environment, evaluate, rationals
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Apply, Constant, Expr, Number, Parameter, walk
from geoflow.lossclass import AnyLoss, CrossEntropy, LossClass
from geoflow.metric.base import Arrays, Metric, MetricContext
from geoflow.primitives import inv

Kind = Literal["full", "blocks", "diagonal"]
Output = Literal["gaussian", "bernoulli", "categorical", "poisson"]
KINDS: tuple[Kind, ...] = get_args(Kind)
OUTPUTS: tuple[Output, ...] = get_args(Output)


def _information(output: Output, y: jax.Array) -> Callable[[jax.Array], jax.Array]:
    """v ↦ F(y)·v for the natural parameter y, over the last axis for categorical outputs; v: [..., *y.shape]."""
    match output:
        case "gaussian":
            return lambda v: v
        case "bernoulli":
            e = jnp.exp(y)
            return lambda v: e / (1 + e) ** 2 * v
        case "poisson":
            return lambda v: jnp.exp(y) * v
        case "categorical":
            e = jnp.exp(y)
            p = e / jnp.sum(e, axis=-1, keepdims=True)
            return lambda v: p * v - p * jnp.sum(p * v, axis=-1, keepdims=True)


@dataclass(frozen=True)
class Fisher(Metric):
    """The Fisher metric of φ. `damping` is a scalar expression in constants; `known` are their values."""

    couples = True

    kind: Kind = "full"
    damping: Expr | None = None
    output: Output = "gaussian"
    known: Mapping[str, Fraction | None] | None = None

    @property
    def spans(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.kind == "full"

    @property
    def quadratic(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.kind == "full"

    def restricted(self, loss: LossClass) -> LossClass:
        """With a singular F, M⁺Jᵀ has range Jᵀ(range F): the cotangents that sum to 0 over the last axis."""
        singular = self.kind == "full" and self.output == "categorical" and self.damping is None
        return CrossEntropy() if singular else loss

    @property
    def text(self) -> str:
        parts = [self.kind]
        if self.damping is not None:
            parts.append(f"damping = {print_expr(self.damping)}")
        if self.output != "gaussian":
            parts.append(f"output = {self.output}")
        return f"Fisher({', '.join(parts)})"

    def constants(self) -> Mapping[str, Fraction | None]:
        if self.damping is None:
            return {}
        known = self.known or {}
        named = {n.name: known.get(n.name) for n in walk(self.damping) if isinstance(n, Constant)}
        return {**named, **rationals([self.damping])}

    def _damping(self, context: MetricContext) -> jax.Array | None:
        if self.damping is None:
            return None
        return evaluate((self.damping,), Environment(context.constants))[0]

    def _jacobian(
        self, context: MetricContext, names: tuple[str, ...]
    ) -> tuple[jax.Array, jax.Array]:
        """J [outputs, parameters] with respect to the named parameters, flattened row by row, and F·J."""
        own = {n: context.own[n] for n in names}
        outputs = context.outputs_of_own({})
        jacobian = jax.jacrev(context.outputs_of_own)(own)
        plain, weighted = [], []
        for y, by_name in zip(outputs, jacobian, strict=True):
            columns = jnp.concatenate(
                [jnp.reshape(by_name[n], (y.size, -1)) for n in names], axis=1
            )
            plain.append(columns)
            moved = jnp.reshape(columns.T, (columns.shape[1], *y.shape))
            weighted.append(
                jnp.reshape(_information(self.output, y)(moved), (columns.shape[1], -1)).T
            )
        return jnp.concatenate(plain), jnp.concatenate(weighted)

    def _matrix(self, context: MetricContext, names: tuple[str, ...]) -> jax.Array:
        plain, weighted = self._jacobian(context, names)
        matrix = plain.T @ weighted
        c = self._damping(context)
        return matrix if c is None else matrix + c * jnp.asarray(np.eye(len(matrix)))

    def _output_information(self, context: MetricContext) -> jax.Array:
        """F [outputs, outputs]."""
        blocks, outputs = [], context.outputs_of_own({})
        total_size = sum(prod(y.shape) for y in outputs)
        start = 0
        for y in outputs:
            size = prod(y.shape)
            unit = jnp.reshape(jnp.asarray(np.eye(size)), (size, *y.shape))
            block = jnp.reshape(_information(self.output, y)(unit), (size, size))
            blocks.append(jnp.pad(block, ((0, 0), (start, total_size - start - size))))
            start += size
        return jnp.concatenate(blocks)

    def steepest(self, context: MetricContext, covector: Arrays) -> Arrays:
        """By the pseudo-inverse in floating point (for trajectories)."""
        names = tuple(covector)
        if self.kind == "diagonal":
            return self._diagonal(context, covector)
        groups = [names] if self.kind == "full" else [(n,) for n in names]
        found: dict[str, jax.Array] = {}
        for group in groups:
            matrix = self._matrix(context, group)
            flat = jnp.concatenate([jnp.ravel(covector[n]) for n in group])
            if self.damping is not None:
                moved = jnp.linalg.solve(matrix, flat)
            else:
                moved = jnp.linalg.pinv(matrix, rtol=1e-9, hermitian=True) @ flat
            found |= _unflatten(moved, {n: covector[n].shape for n in group})
        return found

    def spanning(self, context: MetricContext, covector: Arrays) -> Arrays:
        if self.kind == "diagonal":
            return self._diagonal(context, covector)
        if self.kind == "full" and self._has_range(context):
            return covector
        groups = [tuple(covector)] if self.kind == "full" else [(n,) for n in covector]
        found: dict[str, jax.Array] = {}
        for group in groups:
            moved = self._inverted(
                context, group, jnp.concatenate([jnp.ravel(covector[n]) for n in group])
            )
            found |= _unflatten(moved, {n: covector[n].shape for n in group})
        return found

    def _has_range(self, context: MetricContext) -> bool:
        """Whether M⁺Jᵀ maps the cotangents onto those of the class and then by Jᵀ: M⁺Jᵀ = Jᵀ(…), and what stands in
        the brackets maps all cotangents onto all, and range F (those that sum to 0) onto itself. It mixes the
        cotangents of any smaller class, and those of parameters that another metric measures."""
        singular = self.output == "categorical" and isinstance(context.loss, CrossEntropy)
        return context.alone and (isinstance(context.loss, AnyLoss) or singular)

    def _inverted(
        self, context: MetricContext, names: tuple[str, ...], flat: jax.Array
    ) -> jax.Array:
        matrix = self._matrix(context, names)
        outputs = sum(prod(y.shape) for y in context.outputs_of_own({}))
        if self.damping is not None or flat.size <= outputs:
            return inv(matrix) @ flat
        # J has independent rows: M⁺ = Jᵀ(JJᵀ)⁻¹ F⁻¹ (JJᵀ)⁻¹ J
        plain, _ = self._jacobian(context, names)
        gram = inv(plain @ plain.T)
        pulled = gram @ (plain @ flat)
        if self.output != "gaussian":
            pulled = inv(self._output_information(context)) @ pulled
        return plain.T @ (gram @ pulled)

    def _diagonal(self, context: MetricContext, covector: Arrays) -> Arrays:
        found = {}
        for n, g in covector.items():
            plain, weighted = self._jacobian(context, (n,))
            entries = jnp.reshape(jnp.sum(plain * weighted, axis=0), g.shape)
            c = self._damping(context)
            found[n] = g / (entries if c is None else entries + c)
        return found

    def balanced(self, parameter: Expr) -> tuple[Expr, ...]:
        return (power(parameter, 2), parameter) if self.kind == "full" else ()

    def logarithms(self, parameter: Parameter) -> tuple[Expr, ...]:
        """log det of the two Gram matrices (damped: plus c·I), log of the norms of rows and columns."""
        found: list[Expr] = []
        if self.kind == "full":
            return ()
        if len(parameter.shape) == 2:
            rows, columns = parameter.shape
            # the larger Gram matrix is singular, or (damped) has the same determinant up to a constant
            tall = rows >= columns
            left, right = (
                (transpose(parameter), parameter) if tall else (parameter, transpose(parameter))
            )
            found.append(function("log", _determinant(self._damped(matmul(left, right)))))
        if parameter.shape:
            axes: list[int | None] = [None, *range(len(parameter.shape))]
            found += [
                function("log", self._damped_norm(total(power(parameter, 2), a))) for a in axes
            ]
        return tuple(found)

    def _damped_norm(self, norm: Expr) -> Expr:
        return norm if self.damping is None else Apply("add", (norm, self.damping), norm.shape)

    def _damped(self, gram: Expr) -> Expr:
        if self.damping is None or self.damping == Number(Fraction(0)):
            return gram
        identity = Apply("eye", (), gram.shape, (("size", gram.shape[0]),))
        scaled = Apply("mul", (self.damping, identity), gram.shape)
        return Apply("add", (gram, scaled), gram.shape)


def _determinant(matrix: Expr) -> Expr:
    return Apply("det", (matrix,), ())


def _unflatten(flat: jax.Array, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, jax.Array]:
    found, start = {}, 0
    for name, shape in shapes.items():
        size = prod(shape)
        found[name] = jnp.reshape(flat[start : start + size], shape)
        start += size
    return found
