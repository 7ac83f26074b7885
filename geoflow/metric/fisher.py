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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import prod
from typing import Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.expr.build import divide, power
from geoflow.expr.evaluate import Environment, evaluate, rationals
from geoflow.expr.printer import print_expr
from geoflow.expr.tree import Constant, Expr, Number, Parameter, number, walk
from geoflow.lossclass import AnyLoss, CrossEntropy, LossClass
from geoflow.metric.base import Arrays, Metric, MetricContext, NoMetric, Output, Setting
from geoflow.metric.expectation import (
    Data,
    GaussianData,
    is_affine,
    is_piecewise,
    sampled,
)
from geoflow.metric.genericrank import (
    GenericRank,
    Matrix,
    ZeroColumns,
    generic_rank,
    zero_columns,
)
from geoflow.metric.information import (
    Distribution,
    Weigh,
    halved,
    rows_seen,
    seen,
    unweighed,
    weighed,
)
from geoflow.metric.volumes import volumes
from geoflow.primitives import inv

Kind = Literal["full", "blocks", "diagonal"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_NEGLIGIBLE = 1e-12  # singular values below it, relative to the greatest, are taken as 0


@dataclass(frozen=True)
class _Settled:
    """In one flow: the outputs that the metric sees, the generic ranks by group of parameters, and the entries of the
    diagonal that vanish."""

    setting: Setting
    sees: Output
    mean: int
    ranks: Mapping[tuple[str, ...], GenericRank]
    zeros: Mapping[str, ZeroColumns]


@dataclass(frozen=True)
class Fisher(Metric):
    """The Fisher metric of φ, or of a network over `data`. `damping` is a scalar expression in constants; `known` are
    their values."""

    couples = True

    kind: Kind = "full"
    damping: Expr | None = None
    output: Distribution = "gaussian"
    known: Mapping[str, Fraction | None] | None = None
    data: Data = field(default_factory=GaussianData)
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
        singular = singular and self.data.full
        return CrossEntropy() if singular else loss

    def reads_beside(self, own: Sequence[str], rest: Sequence[str]) -> bool:
        return True

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
        if self.data.text:
            parts.append(self.data.text)
        return f"Fisher({', '.join(parts)})"

    def constants(self) -> Mapping[str, Fraction | None]:
        if self.damping is None:
            return {}
        known = self.known or {}
        named = {n.name: known.get(n.name) for n in walk(self.damping) if isinstance(n, Constant)}
        return {**named, **rationals([self.damping])}

    def _damping(self, context: MetricContext) -> jax.Array | None:
        """c, times the number by which the sum over the data is divided."""
        if self.damping is None:
            return None
        return self._mean * evaluate((self.damping,), Environment(context.constants))[0]

    def _seen(self, context: MetricContext, names: tuple[str, ...]) -> jax.Array:
        """K [rows, parameters] with respect to the named parameters, flattened row by row."""
        own = {n: context.own[n] for n in names}
        jacobian = jax.jacrev(lambda own: self._outputs(context, own))(own)
        rows = []
        for y, by_name in zip(self._outputs(context), jacobian, strict=True):
            parts = [jnp.reshape(by_name[n], (*y.shape, -1)) for n in names]
            rows.append(seen(self.output, jnp.concatenate(parts, axis=-1)))
        return jnp.concatenate(rows)

    @property
    def _mean(self) -> int:
        return 1 if self.found is None else self.found.mean

    def _outputs(self, context: MetricContext, own: Arrays | None = None) -> tuple[jax.Array, ...]:
        """What the metric sees, as a function of its own parameters."""
        sees = context.phi if self.found is None else self.found.sees
        return sees(context.constants, {**context.theta, **context.own, **(own or {})})

    def _each_output(self, context: MetricContext, columns: jax.Array, weigh: Weigh) -> jax.Array:
        """F_K or its inverse on columns [rows, m]."""
        found, start = [], 0
        for y in self._outputs(context):
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
        """By the singular values of W with WᵀW = M, in floating point (for trajectories): those of M would lose half
        of the digits."""
        if self.kind == "diagonal":
            return self._diagonal(context, covector)
        found: dict[str, jax.Array] = {}
        c = self._damping(context)
        for group in self._groups(tuple(covector)):
            root = self._each_output(context, self._seen(context, group), halved)
            flat = jnp.concatenate([jnp.ravel(covector[n]) for n in group])
            _, values, right = jnp.linalg.svd(root, full_matrices=False)
            if c is not None:  # (M + cI)⁻¹ = V(1/(s² + c) − 1/c)Vᵀ + I/c
                moved = right.T @ ((1 / (values**2 + c) - 1 / c) * (right @ flat)) + flat / c
            else:
                kept = values > _NEGLIGIBLE * jnp.max(values)
                scale = jnp.where(kept, jnp.where(kept, values, 1.0) ** -2.0, 0.0)
                moved = right.T @ (scale * (right @ flat))
            found |= _unflatten(self._mean * moved, {n: covector[n].shape for n in group})
        return found

    def _groups(self, names: tuple[str, ...]) -> list[tuple[str, ...]]:
        return [names] if self.kind == "full" else [(n,) for n in names]

    def spanning(self, context: MetricContext, covector: Arrays) -> Arrays:
        setting = self.found.setting if self.found is not None else None
        network = setting is not None and bool(setting.inputs)
        ranged = self._has_range(context.loss, context.alone, network)
        if ranged and (context.inputs or not network):
            return covector
        if ranged and setting is not None and not setting.inverted:
            message = (
                "The mean of this Fisher metric over the network's data was not taken exactly."
            )
            raise NoMetric(setting.own, message, "write `loss data(k)` for a network on few inputs")
        return self._exactly(context, covector, weigh=not self._absorbs(context))

    def _absorbs(self, context: MetricContext) -> bool:
        """Whether F is only a change of the cotangent. Where the rows of every block's K are independent and the class
        of cotangents is what the distribution sees, M⁺Kᵀb = Kᵀ(KKᵀ)⁻¹F_K⁻¹b, and F_K⁻¹b runs over all b as b does."""
        if self.found is None or self.kind == "diagonal" or self.damping is not None:
            return False
        if self.found.setting.inputs:  # M⁺ is of all data, Jᵀa of one
            return False
        sees = CrossEntropy if self.output == "categorical" else AnyLoss
        if not context.alone or not isinstance(context.loss, sees):
            return False
        count = sum(rows_seen(self.output, y.shape) for y in self._outputs(context))
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
            found |= _unflatten(self._mean * moved, {n: covector[n].shape for n in group})
        return found

    def settled(self, setting: Setting) -> Metric:
        """With the outputs that it sees, and the generic ranks of its blocks where they are singular and its exact
        inverse is needed.

        Raises:
            NoMetric: the expectation over the data of a network has no exact formula, and one is needed.
        """
        # constants that only a law names are no other flow
        place = replace(setting, known={})
        if self.found is not None and self.found.setting == place:
            return self
        if self.found is not None and self.found.setting.inputs and not setting.inputs:
            return self  # the network on given data is measured as before
        spans = self._has_range(setting.loss, setting.alone, bool(setting.inputs))
        needed = setting.inverted or not spans
        sees, mean = setting.phi, 1
        if setting.inputs:
            data = self.data if needed or not self.data.full else sampled()
            sees, mean = data.seen(setting.phi, setting.inputs), data.mean
        start = replace(self, found=_Settled(place, sees, mean, {}, {}))
        if not needed:
            return start
        self._verify(setting, sees)
        return start if self.damping is not None else start._ranked(setting)

    def _verify(self, setting: Setting, sees: Output) -> None:
        """Raise where the metric itself is needed and is not known exactly."""
        expected = bool(setting.inputs) and self.data.full
        drawn = sampled().seen(setting.phi, setting.inputs) if expected else sees
        whole = "`fisher(full)` on all parameters together"
        if is_piecewise(drawn, setting.known, setting.shapes):
            message = "This Fisher metric is not supported for piecewise functions."
            note = "exact arithmetic takes gates as free, and those of the metric depend on θ"
            if self.kind != "full":
                note += f"; {whole}, over Gaussian data, needs none"
            raise NoMetric(setting.own, message, note)
        if expected and (self.output != "gaussian" or not is_affine(setting)):
            message = (
                "The mean of this Fisher metric over Gaussian data is not known exactly: "
                "that takes a Gaussian output and a network affine in its inputs."
            )
            point = "write `data = points(k)`"
            if self.kind != "full":
                point += f", or {whole}"
            raise NoMetric(setting.own, message, point)

    def _ranked(self, setting: Setting) -> Fisher:
        """With the generic ranks of its blocks, or the zeros of its diagonal."""
        assert self.found is not None
        ranks: dict[tuple[str, ...], GenericRank] = {}
        zeros: dict[str, ZeroColumns] = {}

        def seen_by(names: tuple[str, ...]) -> Matrix:
            return lambda constants, theta: self._seen(_context(setting, constants, theta), names)

        try:
            if self.kind == "diagonal":
                for n in setting.own:
                    zeros[n] = zero_columns(seen_by((n,)), setting.known, setting.shapes)
            else:
                for group in self._groups(setting.own):
                    ranks[group] = generic_rank(seen_by(group), setting.known, setting.shapes)
        except (UnsupportedPrimitive, UnluckyPoint):  # then the count says what is wrong
            pass
        return replace(self, found=replace(self.found, ranks=ranks, zeros=zeros))

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

    def _has_range(self, loss: LossClass, alone: bool, network: bool) -> bool:
        """Whether M⁺Jᵀ maps the cotangents onto those of the class and then by Jᵀ: M⁺Jᵀ = Jᵀ(…), and what stands in
        the brackets maps all cotangents onto all, and range F (those that sum to 0) onto itself. It mixes the
        cotangents of any smaller class, and those of parameters that another metric measures. For a network M⁺ maps the
        span of all J(x)ᵀa, which is range M where every x occurs, onto itself."""
        if self.kind != "full" or (network and not self.data.full):
            return False
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
            found[n] = self._mean * jnp.reshape((1 - unseen) * jnp.ravel(g) / entries, g.shape)
        return found

    def balanced(self, parameter: Expr) -> tuple[Expr, ...]:
        return (power(parameter, 2), parameter) if self.kind == "full" else ()

    def logarithms(self, parameter: Parameter) -> tuple[Expr, ...]:
        return () if self.kind == "full" else volumes(parameter, self.damping)


def _context(setting: Setting, constants: Arrays, theta: Arrays) -> MetricContext:
    own = {n: theta[n] for n in setting.own}
    return MetricContext(constants, own, theta, setting.phi, setting.loss, setting.alone)


def _unflatten(flat: jax.Array, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, jax.Array]:
    found, start = {}, 0
    for name, shape in shapes.items():
        size = prod(shape)
        found[name] = jnp.reshape(flat[start : start + size], shape)
        start += size
    return found
