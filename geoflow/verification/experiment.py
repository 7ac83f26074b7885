"""Do the laws keep their values when the flow is integrated?

A law drifts when its drift exceeds the tolerance *and* a second pass, with a solver tolerance a
hundred times smaller, gives the same values; otherwise it is the integration that is wrong. What
the trajectories can tell is measured beside it: the state must move, the loss must push it, and a
control function, random and no law, must drift. A run that explodes or meets a singularity says
nothing about a law.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from geoflow.deadline import Deadline
from geoflow.flow import Flow
from geoflow.results import Collocation, Verification, VerifySettings
from geoflow.verification.collocation import collocate
from geoflow.verification.drift import (
    VerifiedLaw,
    changes,
    drift_of,
    drifts_by_run,
    inside_domain,
    make_observer,
    moved,
    same_drift,
)
from geoflow.verification.losses import find_losses
from geoflow.verification.trajectory import (
    SOLVER_TOLERANCE,
    STRICTER,
    Integrator,
    Runs,
    Solved,
    draw_inputs,
    draw_runs,
    float64,
    generator,
    is_piecewise,
    make_integrator,
)

METHOD = f"Dopri8, solver tolerance {SOLVER_TOLERANCE:.0e}"
POWER = 10.0  # state and control must change by so many tolerances for a run to say anything
KEPT = 0.9  # of the time that a run on kinks reached
SHORTER = (0.1, 0.01, 0.001)  # of the time asked for, where no run gets to its end


@dataclass(frozen=True)
class LawCurves:
    """Relative change along one trajectory: of each law's entries [time, entry], and of the control
    [time]."""

    run: str
    times: np.ndarray
    laws: Mapping[str, np.ndarray]
    control: np.ndarray
    tolerance: float


@dataclass(frozen=True)
class _Remark:
    """What is to be told of a run, and the time after which it is so."""

    text: str
    time: float | None = None


def summarize(remarks: Sequence[_Remark], runs: int) -> list[str]:
    """One note for all the runs of which the same is to be told."""
    notes = []
    for text in dict.fromkeys(remark.text for remark in remarks):
        times = [r.time for r in remarks if r.text == text]
        when = min((t for t in times if t is not None), default=None)
        where = "" if when is None else f" after t = {when:.2g}"
        earliest = " at the earliest" if where and len(times) > 1 else ""
        notes.append(f"{len(times)} of {runs} runs {text}{where}{earliest}")
    return notes


@dataclass(frozen=True)
class _Findings:
    """What is kept of a pass: the times a run is good for [run, time], and the drifts [run] by law,
    NaN where there is none."""

    runs: Runs
    solved: Solved
    kept: np.ndarray
    drifts: tuple[np.ndarray, ...]
    notes: tuple[str, ...]

    @property
    def used(self) -> np.ndarray:
        """Numbers of the runs that say something."""
        return np.flatnonzero(self.kept.any(axis=1))

    def control(self, run: int) -> float:
        return drift_of(*(array[run][self.kept[run]] for array in self.solved.observed[-1]))


class Experiment:
    """One verification, compiled once: `verification()` judges, `curves()` gives what is drawn.

    Arguments as for `verify`. Every pass raises `OutOfTime` that would begin after the deadline.
    """

    def __init__(
        self,
        flow: Flow,
        laws: Sequence[VerifiedLaw],
        settings: VerifySettings,
        seed: int,
        symbolic: Mapping[str, float] | None = None,
        deadline: Deadline = Deadline(),
    ):
        self._deadline = deadline
        self.piecewise = bool(flow.parametrization.data) and is_piecewise(flow)
        if flow.parametrization.data:
            with float64():
                flow = flow.on_data(draw_inputs(flow, settings, seed))
        constants = flow.constant_values(symbolic)
        losses = find_losses(settings.losses)
        self.flow = flow
        self.laws = tuple(laws)
        self.settings = settings
        self.runs: Runs = draw_runs(flow, settings, seed, constants)
        observe = make_observer(flow, self.laws, generator(seed, 2))
        self._losses, self._constants = losses, constants
        self._integrate: Integrator = make_integrator(flow, losses, constants, observe)

    def verification(self, tolerance: float = SOLVER_TOLERANCE) -> Verification:
        """The verdict on every law, with `tolerance` for the solver's first pass."""
        found = self._first_pass(tolerance)
        genuine: set[int] = set()
        if any((drifts > self.settings.tolerance).any() for drifts in found.drifts):
            found, genuine = self._confirm(found, tolerance * STRICTER)
        return self._judge(found, genuine)

    def curves(self, tolerance: float = SOLVER_TOLERANCE) -> LawCurves | None:
        """Changes along the first usable trajectory; None where there is none."""
        found = self._first_pass(tolerance)
        if not found.used.size:
            return None
        run = int(found.used[0])
        kept = found.kept[run]
        *laws, control = (
            changes(value[run][kept], scale[run][kept]) for value, scale in found.solved.observed
        )
        return LawCurves(
            run=found.runs.names[run],
            times=found.runs.times[kept],
            laws={law.text: change for law, change in zip(self.laws, laws, strict=True)},
            control=control[:, 0],
            tolerance=self.settings.tolerance,
        )

    def _first_pass(self, tolerance: float) -> _Findings:
        """Findings over the whole time; where no run gets there, over a shorter one."""
        found = self._look(self.runs, tolerance)
        for part in SHORTER:
            if found.used.size or all(reached is None for reached in found.solved.reached):
                return found
            first, last = self.runs.times[0], self.runs.times[-1]
            times = first + (self.runs.times - first) * part
            shorter = self._look(replace(self.runs, times=times), tolerance)
            if shorter.used.size:
                note = f"no run reaches t = {last:g}; integrated to t = {times[-1]:g} instead"
                return replace(shorter, notes=(*found.notes, note, *shorter.notes))
        return found

    def _look(self, runs: Runs, tolerance: float) -> _Findings:
        """Integrate; which runs can tell something, and the drifts there."""
        self._deadline.check()
        solved = self._integrate(runs, tolerance)
        kept = np.zeros(solved.states.shape[:2], dtype=bool)
        remarks: list[_Remark] = []
        for run in range(len(runs.names)):
            kept[run], remark = self._usable_times(runs, solved, run)
            if remark:
                remarks.append(remark)
        notes, drifts = summarize(remarks, len(runs.names)), []
        for law, (value, scale) in zip(self.laws, solved.observed[:-1], strict=True):
            drifts.append(drifts_by_run(value, scale, kept))
            undefined = kept.any(axis=1) & np.isnan(drifts[-1])
            if undefined.any():
                places = ", ".join(runs.names[run] for run in np.flatnonzero(undefined))
                notes.append(f"{law.text} has no finite value along {places}")
        return _Findings(runs, solved, kept, tuple(drifts), tuple(notes))

    def _usable_times(
        self, runs: Runs, solved: Solved, run: int
    ) -> tuple[np.ndarray, _Remark | None]:
        """The saved times at which a run says something about laws, and what to tell of it."""
        nothing = np.zeros(len(runs.times), dtype=bool)
        states, remark = solved.states[run], None
        good = ~nothing
        if (reached := solved.reached[run]) is not None:
            good = runs.times <= runs.times[0] + KEPT * (reached - runs.times[0])
            if not self.piecewise or good.sum() < 2:
                reason = "the flow explodes, is singular or is too stiff"
                if self.piecewise:
                    reason = (
                        "the flow comes to stay on a kink of the network too soon, or explodes,"
                    )
                return nothing, _Remark(f"dropped, {reason}", reached)
            # a gradient flow may slide along a kink, which no solver of smooth equations follows
            remark = _Remark("used until the flow stays on a kink of the network", reached)
            states = np.where(good[:, None], states, states[0])
        inside, end = inside_domain(self.flow, self._constants, states)
        inside &= good
        if not inside[good].all():
            left = float(runs.times[int(np.argmin(inside))])
            if inside.sum() < 2:
                return nothing, _Remark(f"dropped, {end} at once")
            remark = _Remark(f"used until {end}", left)
        control = drift_of(*(a[run][inside] for a in solved.observed[-1]))
        push = float(np.max(solved.push[run][inside])) * float(np.ptp(runs.times))
        needed = POWER * self.settings.tolerance
        for change, reason in (
            (moved(self.flow, states[inside]), "the state does not move"),
            (push if self.flow.cotangent_size else np.inf, "the gradient of the loss is zero"),
            (control, "the control function does not drift"),
        ):
            if not change >= needed:
                words = f"dropped, {reason} (relative change below {needed:.0e})"
                return nothing, _Remark(words)
        return inside, remark

    def _confirm(self, first: _Findings, tolerance: float) -> tuple[_Findings, set[int]]:
        """A stricter pass: its findings, and the numbers of the laws that really drift."""
        second = self._look(first.runs, tolerance)
        kept, remarks = first.kept & second.kept, []
        for run in np.flatnonzero(kept.any(axis=1)):
            a, b = (f.solved.states[run][kept[run]] for f in (first, second))
            if np.max(np.abs(a - b)) > max(self.settings.tolerance, 1e-8) * np.max(np.abs(b)):
                kept[run] = False
                remarks.append(_Remark("dropped, two solver tolerances give two trajectories"))
        notes = [*dict.fromkeys((*first.notes, *second.notes))]
        notes += summarize(remarks, len(kept))
        genuine: set[int] = set()
        drifts: list[np.ndarray] = []
        for number, law in enumerate(self.laws):
            value, scale = second.solved.observed[number]
            drifts.append(drifts_by_run(value, scale, kept))
            beyond = np.flatnonzero(drifts[-1] > self.settings.tolerance)
            earlier = first.solved.observed[number][0]
            if any(
                same_drift(earlier[r], value[r], scale[r], kept[r], drifts[-1][r]) for r in beyond
            ):
                genuine.add(number)
            elif beyond.size:
                notes.append(f"{law.text}: its drift is an integration error, no more")
        return replace(second, kept=kept, drifts=tuple(drifts), notes=tuple(notes)), genuine

    def _judge(self, found: _Findings, genuine: set[int]) -> Verification:
        first, settings = float(found.runs.times[0]), self.settings
        notes = found.notes
        if first:
            notes = (f"starts at t = {first:g}, the damping is not finite at 0", *notes)
        drifts = [
            (law, float(np.nanmax(drift)))
            for law, drift in zip(self.laws, found.drifts, strict=True)
            if not np.isnan(drift).all()
        ]
        proved = [drift for law, drift in drifts if law.proved]
        distances = [
            moved(self.flow, found.solved.states[run][found.kept[run]]) for run in found.used
        ]
        return Verification(
            max_drift=max(proved or [drift for _, drift in drifts], default=0.0),
            moved=min(distances, default=0.0),
            control_drift=min((found.control(run) for run in found.used), default=0.0),
            trials=len(set(found.runs.trials[found.used].tolist())),
            losses=settings.losses,
            tolerance=settings.tolerance,
            method=METHOD,
            start_time=first,
            notes=notes,
            drifts=tuple((law.text, drift) for law, drift in drifts),
            failed=any(self.laws[number].proved for number in genuine),
            usable=bool(found.used.size),
            end_time=min(
                (float(found.runs.times[found.kept[r]][-1]) for r in found.used), default=0.0
            ),
            collocation=self._collocated(found),
        )

    def _collocated(self, found: _Findings) -> tuple[Collocation, ...]:
        """The quadratic laws along the first run that is good to its end."""
        whole = np.flatnonzero(found.kept.all(axis=1))
        if not whole.size:
            return ()
        return collocate(
            self.flow, self._losses, self._constants, found.runs, int(whole[0]), self.laws
        )


def verify(
    flow: Flow,
    laws: Sequence[VerifiedLaw],
    settings: VerifySettings,
    seed: int,
    symbolic: Mapping[str, float] | None = None,
) -> Verification:
    """Integrate the flow for random losses and points and see whether the laws keep their values.

    `max_drift` is the largest drift of a proved law (of any law where none is proved); `moved` and
    `control_drift` are those of the run where they are smallest. `failed` is said of proved
    laws only.

    Raises:
        ValueError: an unknown loss.
    """
    return Experiment(flow, laws, settings, seed, symbolic).verification()


def trajectories(
    flow: Flow,
    laws: Sequence[VerifiedLaw],
    settings: VerifySettings,
    seed: int,
    symbolic: Mapping[str, float] | None = None,
) -> LawCurves | None:
    """What a figure shows: laws and control along the first usable trajectory of `verify`; None
    without one."""
    return Experiment(flow, laws, settings, seed, symbolic).curves()
