"""Natural gradient: Fisher metrics M = JᵀFJ of φ, with F the Fisher information of the output distribution.

*full*: M on all its parameters together. Where F is invertible (or damped), M⁺Jᵀ = Jᵀ(…) has range Jᵀ, so the flow
has exactly the laws of the Euclidean one; with a singular F (categorical) the range is Jᵀ(range F). `spanning` uses
these identities, which need no rank condition. *blocks*: one block a parameter; *diagonal*: the diagonal of M.
`damping` c adds c·I.

Elsewhere M may be singular everywhere. With M = KᵀF_K K and F_K invertible (`metric.information`), and N = (rows of K
that are a basis of its row space)ᵀ, the pseudo-inverse is M⁺ = N(NᵀMN)⁻¹Nᵀ: wherever NᵀMN is invertible and K has its
generic rank, which `metric.genericrank` finds and shows. An entry of the diagonal that is 0 identically has the
pseudo-inverse 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import prod
from typing import Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.expr.build import divide, function, matmul, power, total, transpose
from geoflow.expr.evaluate import Environment, evaluate, rationals
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Apply, Constant, Expr, Number, Parameter, number, walk
from geoflow.lossclass import AnyLoss, CrossEntropy, LossClass
from geoflow.metric.base import Arrays, Metric, MetricContext, Setting
from geoflow.metric.genericrank import GenericRank, Matrix, ZeroColumns, generic_rank, zero_columns
from geoflow.metric.information import Output, Weigh, rows_seen, seen, unweighed, weighed
from geoflow.primitives import inv

Kind = Literal["full", "blocks", "diagonal"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class _Settled:
    """In one flow: the generic ranks by group of parameters, and the entries of the diagonal that vanish."""

    setting: Setting
    ranks: Mapping[tuple[str, ...], GenericRank]
    zeros: Mapping[str, ZeroColumns]


@dataclass(frozen=True)
class Fisher(Metric):
    """The Fisher metric of φ. `damping` is a scalar expression in constants; `known` are their values."""

    kind: Kind = "full"
    damping: Expr | None = None
    output: Output = "gaussian"
    known: Mapping[str, Fraction | None] | None = None
    found: _Settled | None = field(default=None, repr=False, compare=False)

    @property
    def spans(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.kind == "full" or (self.kind == "blocks" and self.output != "gaussian")

    @property
    def quadratic(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.kind == "full"

    def restricted(self, loss: LossClass) -> LossClass:
        """With a singular F, M⁺Jᵀ has range Jᵀ(range F): the cotangents that sum to 0 over the last axis."""
        singular = self.kind == "full" and self.output == "categorical" and self.damping is None
        return CrossEntropy() if singular else loss

    @property
    def shrinking(self) -> Expr | None:
        """(M + cI)⁻¹θ = θ/c − Jᵀ(…); for a number c, since exp(t/c) is a factor of laws for numbers only."""
        if self.kind != "full" or self.damping is None or None in self.constants().values():
            return None
        if isinstance(self.damping, Number):
            return Number(1 / self.damping.value)
        return divide(number(1), self.damping)

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

    def _seen(self, context: MetricContext, names: tuple[str, ...]) -> jax.Array:
        """K [rows, parameters] with respect to the named parameters, flattened row by row."""
        own = {n: context.own[n] for n in names}
        jacobian = jax.jacrev(context.outputs_of_own)(own)
        rows = []
        for y, by_name in zip(context.outputs_of_own({}), jacobian, strict=True):
            parts = [jnp.reshape(by_name[n], (*y.shape, -1)) for n in names]
            rows.append(seen(self.output, jnp.concatenate(parts, axis=-1)))
        return jnp.concatenate(rows)

    def _each_output(self, context: MetricContext, columns: jax.Array, weigh: Weigh) -> jax.Array:
        """F_K or its inverse on columns [rows, m]."""
        found, start = [], 0
        for y in context.outputs_of_own({}):
            count = rows_seen(self.output, y.shape)
            found.append(weigh(self.output, y, columns[start : start + count]))
            start += count
        return jnp.concatenate(found)

    def _matrix(
        self, context: MetricContext, names: tuple[str, ...], weigh: bool = True
    ) -> jax.Array:
        k = self._seen(context, names)
        matrix = k.T @ (self._each_output(context, k, weighed) if weigh else k)
        c = self._damping(context)
        return matrix if c is None else matrix + c * jnp.asarray(np.eye(len(matrix)))

    def steepest(self, context: MetricContext, covector: Arrays) -> Arrays:
        """By the pseudo-inverse in floating point (for trajectories)."""
        names = tuple(covector)
        if self.kind == "diagonal":
            return self._diagonal(context, covector)
        found: dict[str, jax.Array] = {}
        for group in self._groups(names):
            matrix = self._matrix(context, group)
            flat = jnp.concatenate([jnp.ravel(covector[n]) for n in group])
            if self.damping is not None:
                moved = jnp.linalg.solve(matrix, flat)
            else:
                moved = jnp.linalg.pinv(matrix, rtol=1e-9, hermitian=True) @ flat
            found |= _unflatten(moved, {n: covector[n].shape for n in group})
        return found

    def _groups(self, names: tuple[str, ...]) -> list[tuple[str, ...]]:
        return [names] if self.kind == "full" else [(n,) for n in names]

    def spanning(self, context: MetricContext, covector: Arrays) -> Arrays:
        if self.kind == "full" and self._has_range(context.loss, context.alone):
            return covector
        return self._exactly(context, covector, weigh=not self._absorbs(context))

    def _absorbs(self, context: MetricContext) -> bool:
        """Whether F is only a change of the cotangent. Where the rows of every block's K are independent and the class
        of cotangents is what the distribution sees, M⁺Kᵀb = Kᵀ(KKᵀ)⁻¹F_K⁻¹b, and F_K⁻¹b runs over all b as b does."""
        if self.found is None or self.kind == "diagonal" or self.damping is not None:
            return False
        sees = CrossEntropy if self.output == "categorical" else AnyLoss
        if not context.alone or not isinstance(context.loss, sees):
            return False
        count = sum(rows_seen(self.output, y.shape) for y in context.outputs_of_own({}))
        ranks = [self.found.ranks.get(g) for g in self._groups(tuple(context.own))]
        return all(r is not None and r.rank == count for r in ranks)

    def exact(self, context: MetricContext, covector: Arrays) -> Arrays:
        return self._exactly(context, covector)

    def _exactly(self, context: MetricContext, covector: Arrays, weigh: bool = True) -> Arrays:
        """M⁺ · covector; with F_K = I unless `weigh`."""
        if self.kind == "diagonal":
            return self._diagonal(context, covector)
        found: dict[str, jax.Array] = {}
        for group in self._groups(tuple(covector)):
            flat = jnp.concatenate([jnp.ravel(covector[n]) for n in group])
            moved = self._inverted(context, group, flat, weigh)
            found |= _unflatten(moved, {n: covector[n].shape for n in group})
        return found

    def settled(self, setting: Setting) -> Metric:
        """With the generic ranks of its blocks, where they are singular and its exact inverse is needed."""
        # constants that only a law names are no other flow
        place = replace(setting, known={})
        if self.found is not None and self.found.setting == place:
            return self
        ranks: dict[tuple[str, ...], GenericRank] = {}
        zeros: dict[str, ZeroColumns] = {}
        spans = self.kind == "full" and self._has_range(setting.loss, setting.alone)
        if self.damping is None and (setting.inverted or not spans):
            try:
                if self.kind == "diagonal":
                    for n in setting.own:
                        zeros[n] = zero_columns(
                            self._seen_in(setting, (n,)), setting.known, setting.shapes
                        )
                else:
                    for group in self._groups(setting.own):
                        ranks[group] = generic_rank(
                            self._seen_in(setting, group), setting.known, setting.shapes
                        )
            except (UnsupportedPrimitive, UnluckyPoint):  # then the count says what is wrong
                pass
        return replace(self, found=_Settled(place, ranks, zeros))

    def _seen_in(self, setting: Setting, names: tuple[str, ...]) -> Matrix:
        def k(constants: Arrays, theta: Arrays) -> jax.Array:
            own = {n: theta[n] for n in setting.own}
            context = MetricContext(
                constants, own, theta, setting.phi, setting.loss, setting.alone
            )
            return self._seen(context, names)

        return k

    @property
    def doubts(self) -> tuple[str, ...]:
        """Ranks and zeros that could not be shown to be generic."""
        if self.found is None:
            return ()
        ranks = [
            f"the rank {r.rank} of the Fisher metric of {', '.join(names)} is generic: probable"
            for names, r in self.found.ranks.items()
            if not r.proved
        ]
        zeros = [
            f"the map does not see {len(z.columns)} of the entries of {n}: probable"
            for n, z in self.found.zeros.items()
            if not z.proved
        ]
        return (*ranks, *zeros)

    def _has_range(self, loss: LossClass, alone: bool) -> bool:
        """Whether M⁺Jᵀ maps the cotangents onto those of the class and then by Jᵀ: M⁺Jᵀ = Jᵀ(…), and what stands in
        the brackets maps all cotangents onto all, and range F (those that sum to 0) onto itself. It mixes the
        cotangents of any smaller class, and those of parameters that another metric measures."""
        singular = self.output == "categorical" and isinstance(loss, CrossEntropy)
        return alone and (isinstance(loss, AnyLoss) or singular)

    def _inverted(
        self, context: MetricContext, names: tuple[str, ...], flat: jax.Array, weigh: bool
    ) -> jax.Array:
        if self.damping is not None:
            return inv(self._matrix(context, names)) @ flat
        k = self._seen(context, names)
        known = self.found.ranks.get(names) if self.found is not None else None
        rows = known.rows if known is not None else tuple(range(min(k.shape)))
        if len(rows) == k.shape[1]:
            return inv(self._matrix(context, names, weigh)) @ flat
        basis = k[np.array(rows, dtype=np.int64)].T
        if len(rows) == k.shape[0]:  # (NᵀMN)⁻¹ = (KKᵀ)⁻¹ F_K⁻¹ (KKᵀ)⁻¹
            gram = inv(k @ basis)
            pulled = (gram @ (basis.T @ flat))[:, None]
            if weigh:
                pulled = self._each_output(context, pulled, unweighed)
            return basis @ (gram @ pulled[:, 0])
        across = k @ basis
        moved = self._each_output(context, across, weighed) if weigh else across
        return basis @ (inv(across.T @ moved) @ (basis.T @ flat))

    def _diagonal(self, context: MetricContext, covector: Arrays) -> Arrays:
        found = {}
        for n, g in covector.items():
            k = self._seen(context, (n,))
            entries = jnp.sum(k * self._each_output(context, k, weighed), axis=0)
            c = self._damping(context)
            known = self.found.zeros.get(n) if self.found is not None else None
            unseen = np.zeros(g.size)
            if known is not None:
                unseen[list(known.columns)] = 1
            entries = entries + unseen if c is None else entries + c
            found[n] = jnp.reshape((1 - unseen) * jnp.ravel(g) / entries, g.shape)
        return found

    def balanced(self, parameter: Parameter) -> tuple[Expr, ...]:
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
