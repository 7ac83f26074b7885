"""The laws of a PyTorch run: hooks around the optimizer's step read gradients before it and parameters after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from geoflow.expr.torch import TorchPoint, evaluate, magnitude
from geoflow.training.diagnosis import PRODUCTS, products
from geoflow.training.prediction import Step, Value, advance
from geoflow.training.record import LawRecord, Record

if TYPE_CHECKING:
    from geoflow.training.monitor import Monitor


@dataclass
class _Run:
    """What the hooks have seen."""

    step: int
    first: list[Tensor]
    predicted: list[Tensor]
    memory: list[Tensor]
    m: dict[str, Tensor]
    flagged: list[int]
    table: np.ndarray
    looked: int = 0
    seen: list[Tensor] | None = None
    now: list[Tensor] | None = None
    scale: list[Tensor] | None = None
    pending: Step | None = None


class TorchWatch:
    """Watches a model through its optimizer; made by `watch(…).torch(model, optimizer)`. Gradients are those that
    the optimizer is given, after any clipping. `row()` and `flags()` are those of `Monitor`; `detach()` removes the
    hooks."""

    def __init__(self, monitor: Monitor, parameters: Mapping[str, Tensor], tied: tuple[str, ...]):
        self.monitor = monitor
        self.tied = tied
        self._parameters = parameters
        self._values: tuple[Value, ...] = tuple(self._value(law) for law in monitor.laws)
        theta = self._now()
        first = [value(theta) for value in self._values]
        self._run = _Run(
            0,
            first,
            list(first),
            [torch.zeros_like(v) for v in first],
            {n: torch.zeros_like(x) for n, x in theta.items()},
            [-1] * len(first),
            np.zeros((len(theta), len(PRODUCTS))),
        )
        self._handles: list[Any] = []

    @staticmethod
    def attach(
        monitor: Monitor, model: torch.nn.Module, optimizer: torch.optim.Optimizer
    ) -> TorchWatch:
        """Hooks on an optimizer.

        Raises:
            ValueError: a parameter of a law is not in the model.
        """
        named = dict(model.named_parameters(remove_duplicate=False))
        found: dict[str, Tensor] = {}
        for name in monitor.names:
            own = monitor.renamed.get(name, name)
            if own not in named:
                raise ValueError(
                    f"the model has no parameter {own!r} but {', '.join(list(named)[:8])}; say what "
                    "it is called there with names={...}"
                )
            block = next(b for b in monitor.watched.flow.parameters if b.name == name)
            if tuple(named[own].shape) != block.shape:
                raise ValueError(
                    f"{own} has shape {tuple(named[own].shape)}, and {name} of the flow {block.shape}"
                )
            found[name] = named[own]
        watch = TorchWatch(monitor, found, _tied(found))
        watch._handles = [
            optimizer.register_step_pre_hook(lambda *_: watch._before()),
            optimizer.register_step_post_hook(lambda *_: watch._after()),
        ]
        return watch

    def detach(self) -> None:
        """Remove the hooks."""
        for handle in self._handles:
            handle.remove()

    def row(self) -> dict[str, float | int]:
        """As `Monitor.row`."""
        found = self.record().row()
        if self.monitor.log_to is not None:
            self.monitor.log_to(found)
        return found

    def flags(self) -> tuple[str, ...]:
        """As `Monitor.flags`, with the parameters that are one tensor."""
        return (
            *(f"{pair}: one tensor, and two parameters of the flow" for pair in self.tied),
            *self.record().flags(),
        )

    def record(self) -> Record:
        """The run so far, as it was looked at last."""
        run = self._run
        columns = (run.first, run.now or run.first, run.seen or run.first)
        scales = run.scale or [self._scale(law, self._now()) for law in self.monitor.laws]
        laws = tuple(
            LawRecord(label, plan, *(_array(x) for x in values), flagged_at=at)
            for label, plan, *values, at in zip(
                self.monitor.watched.labels,
                self.monitor.plans,
                *columns,
                scales,
                run.flagged,
                strict=True,
            )
        )
        return Record(
            run.looked,
            laws,
            self.monitor.names,
            run.table,
            self.monitor.settings,
            self._tolerance,
            float(torch.finfo(run.first[0].dtype).eps),
        )

    @property
    def _tolerance(self) -> float:
        wide = self._run.first[0].dtype == torch.float64
        return self.monitor.tolerance or (1e-9 if wide else 1e-4)

    def _value(self, law: Any) -> Value:
        constants = self.monitor.watched.constants(law)
        return lambda theta: evaluate(law.expression, TorchPoint(theta, constants))

    def _scale(self, law: Any, theta: Mapping[str, Tensor]) -> Tensor:
        constants = self.monitor.watched.constants(law)
        return magnitude(law.expression, TorchPoint(theta, constants))

    def _now(self) -> dict[str, Tensor]:
        return {n: x.detach() for n, x in self._parameters.items()}

    @torch.no_grad()
    def _before(self) -> None:
        run, settings = self._run, self.monitor.settings
        theta = self._now()
        gradient = {
            n: torch.zeros_like(x) if x.grad is None else x.grad.detach()
            for n, x in self._parameters.items()
        }
        m = settings.gathered(theta, gradient, run.m)
        step = Step(theta, gradient, m, settings.direction(theta, gradient, m), run.step)
        for k, (plan, value) in enumerate(zip(self.monitor.plans, self._values, strict=True)):
            run.predicted[k], run.memory[k] = advance(
                plan, value, settings, step, run.predicted[k], run.memory[k]
            )
        if settings.remembers:
            run.m = m
        if self._looks(run.step + 1):  # the optimizer may overwrite both
            theta = {n: x.clone() for n, x in theta.items()}
            step = replace(step, theta=theta, u={n: x.clone() for n, x in step.u.items()})
        run.pending = step

    @torch.no_grad()
    def _after(self) -> None:
        run = self._run
        if run.pending is None:
            return
        run.step += 1
        if self._looks(run.step):
            self._look(run.pending)
        run.pending = None

    def _looks(self, done: int) -> bool:
        return done == 1 or done % self.monitor.every == 0

    def _look(self, step: Step) -> None:
        """The parameters against the prediction."""
        run, moved = self._run, self._now()
        was_flagged = max(run.flagged) >= 0
        run.looked, run.seen = run.step, list(run.predicted)
        run.now = [value(moved) for value in self._values]
        run.scale = [self._scale(law, moved) for law in self.monitor.laws]
        for k, plan in enumerate(self.monitor.plans):
            error = torch.abs(run.now[k] - run.seen[k])
            wrong = plan.predicted and not bool((error <= self._tolerance * run.scale[k]).all())
            if wrong and run.flagged[k] < 0:
                run.flagged[k] = step.number
        if not was_flagged and max(run.flagged) >= 0:
            run.table = self._table(step, moved)

    def _table(self, step: Step, moved: Mapping[str, Tensor]) -> np.ndarray:
        predicted = self.monitor.settings.moved(step.theta, step.u, step.number)
        return np.array(
            [
                [
                    float(x)
                    for x in products(step.theta[n], moved[n], step.u[n], predicted[n], torch.sum)
                ]
                for n in self.monitor.names
            ]
        )


def _tied(parameters: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Pairs of parameters in one memory."""
    names = list(parameters)
    return tuple(
        f"{a} and {b}"
        for i, a in enumerate(names)
        for b in names[i + 1 :]
        if parameters[a].untyped_storage().data_ptr() == parameters[b].untyped_storage().data_ptr()
    )


def _array(x: Tensor) -> np.ndarray:
    return x.detach().cpu().numpy()
