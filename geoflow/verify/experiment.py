"""Do the laws keep their values when the flow is integrated?

A law drifts when its drift exceeds the tolerance *and* a second pass, with a solver tolerance a
hundred times smaller, gives the same values; otherwise it is the integration that is wrong. What
the trajectories can tell is measured beside it: the state must move, the loss must push it, and a
control function, random and no law, must drift. A run that explodes or meets a singularity says
nothing about a law.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from geoflow.flow import Flow
from geoflow.results import Verification, VerifySettings
from geoflow.verify.drift import (
    VerifiedLaw,
    changes,
    drift_of,
    drifts_by_run,
    inside_domain,
    make_observer,
    moved,
    same_drift,
)
from geoflow.verify.losses import find_losses
from geoflow.verify.trajectory import (
    SOLVER_TOLERANCE,
    STRICTER,
    Integrator,
    Runs,
    Solved,
    draw_runs,
    generator,
    make_integrator,
)

METHOD = f"Dopri8, solver tolerance {SOLVER_TOLERANCE:.0e}"
POWER = 10.0  # state and control must change by so many tolerances for a run to say anything


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
class _Findings:
    """What is kept of a pass: the times a run is good for [run, time], and the drifts [run] by law,
    NaN where there is none."""

    solved: Solved
    kept: np.ndarray
    drifts: tuple[np.ndarray, ...]
    notes: tuple[str, ...]


class Experiment:
    """One verification, compiled once: `verification()` judges, `curves()` gives what is drawn.

    Arguments as for `verify`.
    """

    def __init__(
        self,
        flow: Flow,
        laws: Sequence[VerifiedLaw],
        settings: VerifySettings,
        seed: int,
        symbolic: Mapping[str, float] | None = None,
    ):
        constants = flow.constant_values(symbolic)
        losses = find_losses(settings.losses)
        self.flow = flow
        self.laws = tuple(laws)
        self.settings = settings
        self.runs: Runs = draw_runs(flow, settings, seed, constants)
        observe = make_observer(flow, self.laws, generator(seed, 2))
        self._integrate: Integrator = make_integrator(flow, losses, constants, observe)

    def verification(self, tolerance: float = SOLVER_TOLERANCE) -> Verification:
        """The verdict on every law, with `tolerance` for the solver's first pass."""
        found = self._look(self._integrate(self.runs, tolerance))
        genuine: set[int] = set()
        if any((drifts > self.settings.tolerance).any() for drifts in found.drifts):
            found, genuine = self._confirm(found, tolerance * STRICTER)
        return self._judge(found, genuine)

    def curves(self, tolerance: float = SOLVER_TOLERANCE) -> LawCurves | None:
        """Changes along the first usable trajectory; None where there is none."""
        found = self._look(self._integrate(self.runs, tolerance))
        usable = np.flatnonzero(found.kept.any(axis=1))
        if not usable.size:
            return None
        run = int(usable[0])
        kept = found.kept[run]
        *laws, control = (
            changes(value[run][kept], scale[run][kept]) for value, scale in found.solved.observed
        )
        return LawCurves(
            run=self.runs.names[run],
            times=self.runs.times[kept],
            laws={law.text: change for law, change in zip(self.laws, laws, strict=True)},
            control=control[:, 0],
            tolerance=self.settings.tolerance,
        )

    def _look(self, solved: Solved) -> _Findings:
        """Which runs can tell something, and the drifts there (NaN elsewhere)."""
        kept = np.zeros(solved.states.shape[:2], dtype=bool)
        notes: list[str] = []
        for run, name in enumerate(self.runs.names):
            kept[run], note = self._usable_times(solved, run)
            if note:
                notes.append(f"{name}: {note}")
        drifts: list[np.ndarray] = []
        for law, (value, scale) in zip(self.laws, solved.observed[:-1], strict=True):
            drifts.append(drifts_by_run(value, scale, kept))
            undefined = kept.any(axis=1) & np.isnan(drifts[-1])
            if undefined.any():
                places = ", ".join(self.runs.names[run] for run in np.flatnonzero(undefined))
                notes.append(f"{law.text} has no finite value along {places}")
        return _Findings(solved, kept, tuple(drifts), tuple(notes))

    def _usable_times(self, solved: Solved, run: int) -> tuple[np.ndarray, str]:
        """The saved times at which a run says something about laws, and what to tell of it."""
        nothing = np.zeros(len(self.runs.times), dtype=bool)
        if failure := solved.failures[run]:
            return nothing, f"dropped, {failure}"
        states = solved.states[run]
        inside, block = inside_domain(self.flow, states)
        note = ""
        if not inside.all():
            left = self.runs.times[int(np.argmin(inside))]
            if inside.sum() < 2:
                return nothing, f"dropped, {block} > 0 fails by t = {left:.3g}"
            note = f"used until {block} > 0 fails by t = {left:.3g}"
        control = drift_of(*(a[run][inside] for a in solved.observed[-1]))
        for change, words in (
            (moved(self.flow, states[inside]), "the state moves by"),
            (np.max(solved.push[run][inside]) * self.settings.time, "the loss pushes the state by"),
            (control, "the control function drifts by"),
        ):
            if not change >= POWER * self.settings.tolerance:
                return nothing, f"dropped, {words} {change:.1g}, too little to tell anything"
        return inside, note

    def _confirm(self, first: _Findings, tolerance: float) -> tuple[_Findings, set[int]]:
        """A stricter pass: its findings, and the numbers of the laws that really drift."""
        second = self._look(self._integrate(self.runs, tolerance))
        kept, notes = first.kept & second.kept, list(second.notes)
        for run in np.flatnonzero(kept.any(axis=1)):
            a, b = (f.solved.states[run][kept[run]] for f in (first, second))
            if np.max(np.abs(a - b)) > self.settings.tolerance * np.max(np.abs(b)):
                kept[run] = False
                name = self.runs.names[run]
                notes.append(f"{name}: dropped, two solver tolerances give different trajectories")
        genuine: set[int] = set()
        drifts = []
        for number, law in enumerate(self.laws):
            value, scale = second.solved.observed[number]
            drifts.append(np.where(kept.any(axis=1), second.drifts[number], np.nan))
            beyond = np.flatnonzero(drifts[-1] > self.settings.tolerance)
            earlier = first.solved.observed[number][0]
            if any(
                same_drift(earlier[r], value[r], scale[r], kept[r], drifts[-1][r]) for r in beyond
            ):
                genuine.add(number)
            elif beyond.size:
                notes.append(f"{law.text}: its drift is an integration error, no more")
        return _Findings(second.solved, kept, tuple(drifts), tuple(notes)), genuine

    def _judge(self, found: _Findings, genuine: set[int]) -> Verification:
        used = np.flatnonzero(found.kept.any(axis=1))
        first, settings = float(self.runs.times[0]), self.settings
        notes = found.notes
        if first:
            notes = (f"starts at t = {first:g}, the damping is not finite at 0", *notes)
        drifts = [
            (law, float(np.nanmax(drift)))
            for law, drift in zip(self.laws, found.drifts, strict=True)
            if not np.isnan(drift).all()
        ]
        proved = [drift for law, drift in drifts if law.proved]
        control = [
            drift_of(*(a[run][found.kept[run]] for a in found.solved.observed[-1])) for run in used
        ]
        distances = [moved(self.flow, found.solved.states[run][found.kept[run]]) for run in used]
        return Verification(
            max_drift=max(proved or [drift for _, drift in drifts], default=0.0),
            moved=min(distances, default=0.0),
            control_drift=min(control, default=0.0),
            trials=len(set(self.runs.trials[used].tolist())),
            losses=settings.losses,
            tolerance=settings.tolerance,
            method=METHOD,
            start_time=first,
            notes=notes,
            drifts=tuple((law.text, drift) for law, drift in drifts),
            failed=any(self.laws[number].proved for number in genuine),
            usable=bool(used.size),
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
