"""`watch`: laws along a training loop in JAX, their drift, and the drift that the optimizer's settings explain.

`start`, `update` and what `wrap` returns are pure functions of pytrees, to be jitted with the step; `row` and `flags`
read the state outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from os import PathLike
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.extras import needing
from geoflow.laws.law import Law
from geoflow.training.csvlog import CsvLog
from geoflow.training.diagnosis import PRODUCTS, products
from geoflow.training.layout import Layout
from geoflow.training.prediction import Plan, Step, advance, plan
from geoflow.training.record import LawRecord, Record, notes
from geoflow.training.settings import Optimizer, Rate, Settings
from geoflow.training.watched import Source, Watched, leaves, watched


class WatchState(NamedTuple):
    """What a run carries along, few arrays, since each one costs at every step.

    `counts`: the steps; the steps after which the parameters were looked at last; by law the step from which on it is
    not explained, or −1. By entry of the laws' vector (see `layout`): `first`, the values at the start; `predicted`;
    with momentum `memory`, B(θ, m). `m`: with momentum, the gathered gradient. `seen`, at the last look: values,
    predicted values, scales, and the table of `diagnosis`."""

    counts: Any
    first: Any
    predicted: Any
    memory: Any
    m: Any
    seen: Any


@dataclass(frozen=True)
class Monitor:
    """The laws of a run with the settings of its optimizer. Made by `watch`.

    In a loop, either `optimizer = monitor.wrap(optimizer)` with Optax, or `start` and `update` by hand.
    """

    watched: Watched
    settings: Settings
    plans: tuple[Plan, ...]
    tolerance: float | None
    every: int
    renamed: Mapping[str, str] = field(default_factory=dict)
    log_to: CsvLog | None = None

    @property
    def laws(self) -> tuple[Law, ...]:
        """The laws that are watched."""
        return self.watched.laws

    @property
    def notes(self) -> tuple[str, ...]:
        """What cannot be predicted from a law itself, and why."""
        return notes(self.watched.labels, self.plans)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that some law reads."""
        read = {n for p in self.plans for n in p.names}
        return tuple(n for n in self.watched.names if n in read)

    @cached_property
    def layout(self) -> Layout:
        """Where each law is in the vector of all."""
        return Layout.of(self.laws, self.plans, self.settings)

    def start(self, params: Any) -> WatchState:
        """The state before the first step."""
        theta, remembers = self._leaves(params), self.settings.remembers
        first = self._values(self.layout.order, theta)
        table = jnp.zeros(len(theta) * len(PRODUCTS), first.dtype)
        return WatchState(
            jnp.asarray([0, 0, *(-1 for _ in self.laws)]),
            first,
            first,
            jnp.zeros_like(first) if remembers else None,
            {n: jnp.zeros_like(x) for n, x in theta.items()} if remembers else None,
            jnp.concatenate([first, first, self._scales(theta), table]),
        )

    def update(self, state: WatchState, params: Any, gradient: Any, after: Any) -> WatchState:
        """The state after a step from `params` to `after`, by the gradient that the optimizer was given."""
        theta, g, settings = self._leaves(params), self._leaves(gradient), self.settings
        m = settings.gathered(theta, g, state.m)
        step = Step(theta, g, m, settings.direction(theta, g, m), state.counts[0])
        predicted, memory = self._advanced(step, state)
        done = state.counts[0] + 1
        counts, seen = jax.lax.cond(
            (done == 1) | (done % self.every == 0),
            lambda: self._looked(state, step, self._leaves(after), predicted),
            lambda: (state.counts, state.seen),
        )
        kept = m if settings.remembers else None
        return WatchState(counts.at[0].set(done), state.first, predicted, memory, kept, seen)

    def _advanced(self, step: Step, state: WatchState) -> tuple[Any, Any]:
        """Predicted values and memory after the step."""
        pairs = []
        for block in self.layout.blocks:
            memory = None if state.memory is None else state.memory[block.span]
            value = partial(self._values, block.laws)
            h = state.predicted[block.span]
            pairs.append(advance(block.plan, value, self.settings, step, h, memory))
        predicted = jnp.concatenate([h for h, _ in pairs])
        return predicted, None if state.memory is None else jnp.concatenate([b for _, b in pairs])

    def _looked(
        self, last: WatchState, step: Step, moved: Mapping[str, Any], predicted: Any
    ) -> tuple[Any, Any]:
        """The parameters against the prediction: counts and what is seen."""
        now, scale = self._values(self.layout.order, moved), self._scales(moved)
        was, table = last.counts[2:], last.seen[3 * now.size :]
        flagged = self._flagged(was, step.number, now, predicted, scale)
        new = (jnp.max(was) < 0) & (jnp.max(flagged) >= 0)
        table = jax.lax.cond(
            new, lambda: jnp.ravel(self._table(step, moved)).astype(table.dtype), lambda: table
        )
        done = step.number + 1
        counts = jnp.concatenate([jnp.stack([done, done]), flagged])
        return counts, jnp.concatenate([now, predicted, scale, table])

    def wrap(self, optimizer: Any) -> Any:
        """An Optax optimizer that watches itself; `state(...)` finds what it saw in the optimizer's state. Of a chain
        wrap the part that the settings describe: `optax.chain(optax.clip(1.0), monitor.wrap(optax.sgd(0.1)))`."""
        import optax

        def init(params: Any) -> Any:
            return _Wrapped(optimizer.init(params), self.start(params))

        def update(updates: Any, state: Any, params: Any = None, **more: Any) -> Any:
            if params is None:
                raise ValueError(
                    "a watched optimizer needs the parameters: update(grads, state, params)"
                )
            inner = optax.with_extra_args_support(optimizer)
            change, own = inner.update(updates, state.optimizer, params, **more)
            after = optax.apply_updates(params, change)
            return change, _Wrapped(own, self.update(state.watch, params, updates, after))

        return optax.GradientTransformationExtraArgs(init, update)

    def state(self, optimizer_state: Any) -> WatchState:
        """What a wrapped optimizer saw, wherever it is in the state.

        Raises:
            ValueError: there is none.
        """
        found = jax.tree.leaves(optimizer_state, is_leaf=lambda x: isinstance(x, WatchState))
        states = [x for x in found if isinstance(x, WatchState)]
        if len(states) != 1:
            raise ValueError(f"the state holds {len(states)} watched optimizers, not one")
        return states[0]

    def record(self, state: WatchState) -> Record:
        """The run so far, as NumPy arrays."""
        host: WatchState = jax.device_get(state)
        now, predicted, scale, table = np.split(host.seen, np.arange(1, 4) * host.first.size)
        columns = (self.layout.split(x) for x in (host.first, now, predicted, scale))
        laws = tuple(
            LawRecord(label, plan, *values, flagged_at=int(at))
            for label, plan, *values, at in zip(
                self.watched.labels, self.plans, *columns, host.counts[2:], strict=True
            )
        )
        return Record(
            int(host.counts[1]),
            laws,
            self.names,
            table.reshape(-1, len(PRODUCTS)),
            self.settings,
            self._tolerance(table.dtype),
            float(np.finfo(table.dtype).eps),
        )

    def row(self, state: WatchState) -> dict[str, float | int]:
        """Numbers by name, for any logger; also written to the CSV file of `watch`, if one was given. By law: `value`
        (the largest entry), `drift` since the start, the drift `predicted`, and what is `unexplained`, the last three
        relative to the sum of the law's absolute terms. `step`: the number of steps after which the parameters were
        looked at last. `flags` counts the laws with an unexplained drift."""
        found = self.record(state).row()
        if self.log_to is not None:
            self.log_to(found)
        return found

    def flags(self, state: WatchState) -> tuple[str, ...]:
        """Sentences on what the settings do not explain, and why; empty when they explain everything."""
        return self.record(state).flags()

    def torch(self, model: Any, optimizer: Any) -> Any:
        """The same for a PyTorch model: hooks on the optimizer's step; see `TorchWatch`."""
        with needing("torch", "torch", "watching a PyTorch model"):
            from geoflow.training.torchwatch import TorchWatch

        return TorchWatch.attach(self, model, optimizer)

    def _leaves(self, tree: Any) -> dict[str, Any]:
        return leaves(tree, self.names, self.renamed)

    def _values(self, laws: Sequence[int], theta: Mapping[str, Any]) -> jax.Array:
        """Values of laws, by number, as one vector."""
        return jnp.concatenate([jnp.ravel(self.laws[k].at(theta)) for k in laws])

    def _scales(self, theta: Mapping[str, Any]) -> jax.Array:
        found = (self.watched.scale(self.laws[k], theta) for k in self.layout.order)
        return jnp.concatenate([jnp.ravel(x) for x in found])

    def _tolerance(self, dtype: Any) -> float:
        return self.tolerance or (1e-9 if jnp.finfo(dtype).bits == 64 else 1e-4)

    def _flagged(self, was: Any, number: Any, now: Any, predicted: Any, scale: Any) -> Any:
        """By law the first step that was looked at and is not explained."""
        wrong = ~(jnp.abs(now - predicted) <= self._tolerance(now.dtype) * scale)  # NaN is wrong
        by_law = jnp.stack(
            [
                jnp.any(wrong[place]) & plan.predicted
                for place, plan in zip(self.layout.places, self.plans, strict=True)
            ]
        )
        return jnp.where((was < 0) & by_law, number, was)

    def _table(self, step: Step, moved: Mapping[str, Any]) -> jax.Array:
        predicted = self.settings.moved(step.theta, step.u, step.number)
        rows = [
            products(step.theta[n], moved[n], step.u[n], predicted[n], jnp.sum) for n in self.names
        ]
        return jnp.asarray(rows)


class _Wrapped(NamedTuple):
    optimizer: Any
    watch: WatchState


def watch(
    source: Source,
    *given: Any,
    rate: Rate | Mapping[str, Rate] | None = None,
    momentum: float = 0.0,
    nesterov: bool = False,
    decay: float | Mapping[str, float] = 0.0,
    decoupled: bool = True,
    optimizer: Optimizer = "sgd",
    laws: Sequence[Law | str] | None = None,
    names: Mapping[str, str] | None = None,
    tolerance: float | None = None,
    every: int = 10,
    csv: str | PathLike[str] | None = None,
    seed: int = 0,
) -> Monitor:
    """Watch the laws of a training run.

    **Arguments**

    - `source`: a .geo file, a flow, an analysis, or a function with what `Flow` takes: `(phi, params)`, or
      `(apply, params, x)` for a network. The laws are those of its gradient flow.
    - `rate`, `momentum`, `nesterov`, `decay`, `decoupled`: what SGD is meant to do, as PyTorch and Optax name it; rates
      and decays are one for all parameters, or a mapping from names (or prefixes of names). A rate may be a function of
      the number of the step. `decoupled=False`: λθ is added to the gradient.
    - `optimizer`: `other` for one that is not SGD, such as Adam: drifts are logged, not predicted.
    - `laws`: those to watch, found ones or texts; all that are found without it.
    - `names`: what parameters of the flow are called in the training loop, where that differs.
    - `tolerance`: unexplained drift that raises a flag, relative to the sum of a law's absolute terms. 1e-9, in single
      precision 1e-4.
    - `every`: the parameters are looked at after the first step and every so many; the prediction is of all.
    - `csv`: a file for the rows.

    Raises:
        DiagnosticError: the file is wrong, or the flow out of reach.
        ValueError: there is no law, a law that is named does not hold, or the settings contradict each other.
    """
    found = watched(source, *given, laws=laws, seed=seed)
    settings = Settings.read(found.names, rate, momentum, nesterov, decay, decoupled, optimizer)
    plans = tuple(plan(law, settings) for law in found.laws)
    if unknown := set(names or ()) - set(found.names):
        raise ValueError(
            f"names speaks of {sorted(unknown)[0]!r}, which is no parameter of the flow"
        )
    if every < 1:
        raise ValueError(f"every is a positive number of steps, got {every!r}")
    log_to = CsvLog(csv) if csv is not None else None
    return Monitor(found, settings, plans, tolerance, every, dict(names or {}), log_to)
