"""What `import geoflow as gf` offers: the command's work as functions, with exceptions for the user's mistakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike

from geoflow import analysis
from geoflow.analysis import Analysis
from geoflow.claims import judge_laws, law_results, replace_constants
from geoflow.deadline import Deadline
from geoflow.diagnostics import Diagnostic, DiagnosticError
from geoflow.exact.cures import cure
from geoflow.exact.interpreter import UnluckyPoint
from geoflow.exact.program import UnsupportedPrimitive
from geoflow.flow import Flow
from geoflow.laws.law import Law
from geoflow.laws.search import DEFAULT_DEGREE, Where
from geoflow.lawtext import read_law
from geoflow.lie.closure import TooManyCoordinates
from geoflow.lower import lower
from geoflow.memory import in_bytes
from geoflow.options import CheckOptions
from geoflow.pipeline import check_paths
from geoflow.results import HOLDS, LawCount, Report, Verdict, Verification, VerifySettings
from geoflow.semantics import load as _load_models
from geoflow.semantics import load_text as _load_text
from geoflow.semantics.model import Model
from geoflow.sweep.claim import OverSizes


@dataclass(frozen=True)
class Loaded:
    """A model of a `.geo` file."""

    model: Model

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    def flow(self) -> Flow:
        """The model's flow."""
        return lower(self.model)


def check(
    *paths: str | PathLike[str],
    overrides: Mapping[str, str] | None = None,
    seed: int = 0,
    verify: bool = True,
    timeout: float | None = None,
    strict: bool = False,
    memory: float | None = None,
) -> Report:
    """What `geoflow check` prints, as data. Mistakes in the files are `diagnostics` of the report.

    `timeout` is in seconds, `memory` what elimination may take in GiB, 8 without it.

    Raises:
        TypeError: what is given is no path.
    """
    for path in paths:
        if not isinstance(path, str | PathLike):
            raise TypeError(
                f"`check` takes paths of .geo files, and this is of type {type(path).__name__}; "
                "a flow is given to `analyze`"
            )
    options = CheckOptions(
        overrides or {}, seed, timeout, verify, strict, formulas=True, memory=in_bytes(memory)
    )
    return check_paths([str(p) for p in paths], options, over_sizes=OverSizes())


def load(path: str | PathLike[str], *, overrides: Mapping[str, str] | None = None) -> Loaded:
    """The model of a file that holds one.

    Raises:
        DiagnosticError: the file is wrong; the exception carries the diagnostics.
        ValueError: the file holds several models.
    """
    return _single(*_load_models(str(path), overrides or {}), str(path))


def loads(text: str, *, overrides: Mapping[str, str] | None = None) -> Loaded:
    """The model of a text; see `load`."""
    return _single(*_load_text(text, "<text>", overrides or {}), "the text")


def _single(models: Sequence[Model], diagnostics: Sequence[Diagnostic], where: str) -> Loaded:
    errors = [d for d in diagnostics if d.severity == "error"]
    if errors:
        raise DiagnosticError(*errors)
    if len(models) != 1:
        names = ", ".join(m.name for m in models)
        raise ValueError(
            f"{where} holds {len(models)} models ({names}); check it, or keep one a file"
        )
    return Loaded(models[0])


@contextmanager
def _reachable():
    """The engine's refusals as diagnostics."""
    try:
        yield
    except UnsupportedPrimitive as error:
        place = f" (at {error.where})" if error.where else ""
        raise DiagnosticError(
            Diagnostic(
                "GEO0508",
                f"φ or the metric uses `{error.name}`{place}, which has no exact evaluation.",
                hints=(
                    cure(error.name)
                    or "use rational operations, sqrt, geoflow.det and geoflow.inv",
                ),
            )
        ) from None
    except TooManyCoordinates as error:
        hint = f"`memory={error.gib:g}` allows it, where the machine has so much"
        raise DiagnosticError(
            Diagnostic("GEO0304", f"The flow is too large: {error.message}.", hints=(hint,))
        ) from None
    except UnluckyPoint:
        raise DiagnosticError(
            Diagnostic("GEO0509", "The flow is not defined at any of the points tried.")
        ) from None


def _verify_flow(flow: object) -> None:
    if not isinstance(flow, Flow):
        raise TypeError(
            f"a flow is wanted, `geoflow.Flow(phi, params)` or `geoflow.load(path).flow()`, not one of "
            f"type {type(flow).__name__}"
        )


def count_laws(
    flow: Flow, *, seed: int = 0, timeout: float | None = None, memory: float | None = None
) -> LawCount:
    """The rank alone, fast: how many laws at most, and probably.

    Raises:
        DiagnosticError: φ or the metric is out of reach (GEO0508, GEO0509).
        TypeError: what is given is no flow.
    """
    _verify_flow(flow)
    with _reachable():
        counted = analysis.count(flow, seed, Deadline.after(timeout), in_bytes(memory))
        return analysis.law_count(counted, proved=0)


def analyze(
    flow: Flow,
    *,
    seed: int = 0,
    degree: int = DEFAULT_DEGREE,
    timeout: float | None = None,
    memory: float | None = None,
) -> Analysis:
    """Count the laws of a flow, find them and prove them. `degree` bounds scalar polynomial laws.

    Raises:
        DiagnosticError: φ or the metric is out of reach (GEO0508, GEO0509).
        TypeError: what is given is no flow.
    """
    _verify_flow(flow)
    with _reachable():
        where, deadline = Where(degree=degree), Deadline.after(timeout)
        return analysis.analyze(flow, seed, where, deadline, memory=in_bytes(memory))


def find_laws(
    flow: Flow,
    *,
    seed: int = 0,
    degree: int = DEFAULT_DEGREE,
    timeout: float | None = None,
    memory: float | None = None,
) -> tuple[Law, ...]:
    """The laws alone; each is printed with `str`, converted by `sympy()` and `latex()`, called by `jax()`.

    Raises:
        DiagnosticError: φ or the metric is out of reach (GEO0508, GEO0509).
        TypeError: what is given is no flow.
    """
    return analyze(flow, seed=seed, degree=degree, timeout=timeout, memory=memory).laws


@dataclass(frozen=True)
class CheckedLaw:
    """A law of one's own, judged. `law` can be printed, converted and called whatever the verdict is; `witness`: a
    point, a cotangent and the nonzero derivative there."""

    law: Law
    verdict: Verdict
    detail: str
    witness: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the law is proved, or probable."""
        return self.verdict in HOLDS

    def __str__(self) -> str:
        """The law, the verdict, and the witness below."""
        return "\n".join(
            [f"{self.law}: {self.verdict}, {self.detail}", *(f"  {line}" for line in self.witness)]
        )


def check_law(flow: Flow, law: str, *, seed: int = 0, timeout: float | None = None) -> CheckedLaw:
    """The verdict on a law of your own, written as in a .geo file in the flow's parameters: `"U.T @ U - V.T @ V"`,
    `"sum(layers.0.weight**2, axis=1) - sum(layers.1.weight**2, axis=0)"`. Every entry is claimed to be conserved.

    Raises:
        DiagnosticError: the text is wrong, or φ or the metric is out of reach.
        TypeError: what is given is no flow, or the law is no text.
    """
    _verify_flow(flow)
    if not isinstance(law, str):
        raise TypeError(f"a law of your own is a text, and this is of type {type(law).__name__}")
    model = read_law(flow, law)
    deadline = Deadline.after(timeout)
    with _reachable():
        counted = analysis.count(flow, seed, deadline)
        judged = judge_laws(model, counted, deadline)
        (result,) = law_results(model, counted, judged, ())
    (own,) = judged
    named = {c.name: c.value for c in model.constants}
    found = own.law or Law(
        own.claim.expression, replace_constants(counted, named), own.verdict, 0, 0
    )
    return CheckedLaw(found, result.verdict, result.detail, result.witness)


def verify(
    flow: Flow,
    laws: Sequence[Law],
    *,
    seed: int = 0,
    settings: VerifySettings = VerifySettings(),
) -> Verification:
    """Integrate the flow on random data with diffrax and measure the drift of every law.

    Raises:
        TypeError: what is given is no flow, or a law none that was found.
    """
    _verify_flow(flow)
    for law in laws:
        if not isinstance(law, Law):
            raise TypeError(
                f"a law is one of `find_laws(flow)`, and this is of type {type(law).__name__}; "
                "a law of your own is `check_law(flow, text).law`"
            )
    from geoflow.verification import symbolic_values
    from geoflow.verification import verify as integrate
    from geoflow.verification.laws import as_verified

    symbolic = symbolic_values(flow, seed)
    return integrate(flow, [as_verified(law, symbolic) for law in laws], settings, seed, symbolic)
