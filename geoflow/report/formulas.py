"""The laws of a report alone, in one of the notations people paste elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Literal, assert_never

from geoflow.report.machine import SCHEMA, dumps, to_json
from geoflow.report.pythoncode import HEADING, python_functions
from geoflow.report.verdicts import count_words, formulas
from geoflow.report.visible import visible
from geoflow.results import FoundLaw, Report

_COMMENTS = {"text": "#", "latex": "%", "sympy": "#"}
Notation = Literal["text", "latex", "sympy", "python", "json"]
Names = tuple[
    tuple[str, ...], Mapping[str, Fraction | None]
]  # of the parameters, and the constants with their values


def formula_text(
    report: Report, notation: Notation, names: Mapping[tuple[str, str], Names] | None = None
) -> str:
    """All laws found. `names`, by (file, model), are needed for Python alone."""
    if notation == "json":
        models = [
            {key: m[key] for key in ("file", "model", "laws", "found")}
            for m in to_json(report)["models"]
        ]
        return dumps({"schema": SCHEMA, "models": models})
    if notation == "python":
        return _python(report, names or {})
    lines = []
    for model in report.models:
        if len(report.models) > 1:
            lines.append(f"{_COMMENTS[notation]} {model.model}")
        lines += [_formula(law, notation) for law in model.found]
    return "".join(f"{visible(line)}\n" for line in lines)


def _formula(law: FoundLaw, notation: Literal["text", "latex", "sympy"]) -> str:
    match notation:
        case "text":
            return law.text
        case "latex":
            return law.latex
        case "sympy":
            return law.sympy
        case _:
            assert_never(notation)


def _python(report: Report, names: Mapping[tuple[str, str], Names]) -> str:
    functions = [
        function
        for model in report.models
        for function in python_functions(
            model.found,
            *names[model.file, model.model],
            prefix=f"{model.model}_" if len(report.models) > 1 else "",
        )
    ]
    return "\n\n".join([HEADING, *functions])


def missing_formulas(report: Report) -> Iterator[str]:
    """A remark for each model whose count is not reached by its formulas, or not known to be."""
    for model in report.models:
        if model.laws.status == "bounded" or formulas(model) < model.laws.upper:
            yield f"{model.model}: {count_words(model)}"
        elif not model.found:
            yield f"{model.model}: no laws ({count_words(model)})"
