"""The laws of a PyTorch run: hooks around the optimizer's step read gradients before it and parameters after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from geoflow.expr.torchprogram import TorchProgram
from geoflow.training.diagnosis import PRODUCTS, products
from geoflow.training.prediction import Step, advance
from geoflow.training.record import LawRecord, Record

if TYPE_CHECKING:
    from geoflow.training.monitor import Monitor


@dataclass
class _Run:
    """What the hooks have seen; vectors as in `layout`. `m`: with momentum, the gathered gradient."""

    step: int
    first: Tensor
    predicted: list[Tensor]  # by block
    memory: list[Tensor]
    m: dict[str, Tensor]
    flagged: list[int]
    table: np.ndarray
    now: Tensor
    seen: Tensor
    scale: Tensor
    looked: int = 0
    pending: Step | None = None


class TorchWatch:
    """Watches a model through its optimizer; made by `watch(…).torch(model, optimizer)`. Gradients are those that
    the optimizer is given, after any clipping. `row()` and `flags()` are those of `Monitor`; `detach()` removes the
    hooks."""

    def __init__(self, monitor: Monitor, parameters: Mapping[str, Tensor], tied: tuple[str, ...]):
        self.monitor = monitor
        self.tied = tied
        self._parameters = parameters
        layout = self._layout = monitor.layout
        self._blocks = [self._program(block.laws) for block in layout.blocks]
        self._all = self._program(layout.order, scales=True)
        with torch.no_grad():
            first, scale = self._all(parameters)
        remembers = monitor.settings.remembers
        self._run = _Run(
            0,
            first,
            [first[block.span] for block in layout.blocks],
            [torch.zeros_like(first[block.span]) for block in layout.blocks],
            {n: torch.zeros_like(x) for n, x in parameters.items()} if remembers else {},
            [-1] * len(monitor.laws),
            np.zeros((len(parameters), len(PRODUCTS))),
            first,
            first,
            scale,
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
        columns = [self._layout.split(_array(x)) for x in (run.first, run.now, run.seen, run.scale)]
        laws = tuple(
            LawRecord(label, plan, *values, flagged_at=at)
            for label, plan, *values, at in zip(
                self.monitor.watched.labels, self.monitor.plans, *columns, run.flagged, strict=True
            )
        )
        return Record(
            run.looked,
            laws,
            self.monitor.names,
            run.table,
            self.monitor.settings,
            self._tolerance,
            float(torch.finfo(run.first.dtype).eps),
        )

    @property
    def _tolerance(self) -> float:
        wide = self._run.first.dtype == torch.float64
        return self.monitor.tolerance or (1e-9 if wide else 1e-4)

    def _program(self, laws: Sequence[int], scales: bool = False) -> TorchProgram:
        """Laws by number."""
        own = [self.monitor.laws[k] for k in laws]
        constants: dict[str, float] = {}
        for law in own:
            constants |= self.monitor.watched.constants(law)
        return TorchProgram([law.expression for law in own], constants, scales)

    @torch.no_grad()
    def _before(self) -> None:
        run, settings, theta = self._run, self.monitor.settings, self._parameters
        gradient = {
            n: torch.zeros_like(x) if (g := x.grad) is None else g for n, x in theta.items()
        }
        m = self._gathered(gradient)
        step = Step(theta, gradient, m, settings.direction(theta, gradient, m), run.step)
        for k, (block, program) in enumerate(zip(self._layout.blocks, self._blocks, strict=True)):
            run.predicted[k], run.memory[k] = advance(
                block.plan,
                program.first,
                settings,
                step,
                run.predicted[k],
                run.memory[k],
            )
        if self._looks(run.step + 1):  # the optimizer may overwrite both
            theta = {n: x.clone() for n, x in theta.items()}
            step = replace(step, theta=theta, u={n: x.clone() for n, x in step.u.items()})
        run.pending = step

    def _gathered(self, gradient: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """m after the gradient of this step; its own memory is overwritten."""
        run, settings = self._run, self.monitor.settings
        if not settings.remembers:
            return settings.gathered(self._parameters, gradient, run.m)
        for n, m in run.m.items():
            coupled = settings.coupled(n)
            g = (
                torch.add(gradient[n], self._parameters[n], alpha=coupled)
                if coupled
                else gradient[n]
            )
            torch.add(g, m, alpha=settings.momentum, out=m)
        return run.m

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

    @torch.no_grad()
    def _look(self, step: Step) -> None:
        """The parameters against the prediction."""
        run, moved = self._run, self._parameters
        was_flagged = max(run.flagged) >= 0
        run.looked, run.seen = run.step, torch.cat(run.predicted)
        run.now, run.scale = self._all(moved)
        wrong = ~((run.now - run.seen).abs() <= self._tolerance * run.scale)  # NaN is wrong
        if bool(wrong.any()):
            for k, entries in enumerate(self._layout.split(wrong)):
                if run.flagged[k] < 0 and self.monitor.plans[k].predicted and bool(entries.any()):
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
