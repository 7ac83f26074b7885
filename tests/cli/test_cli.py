"""The command line with a pipeline of hand-made reports: exit codes, formats, streams."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from types import ModuleType

import pytest
from typer.testing import CliRunner

from geoflow import cli
from geoflow.call import expand
from geoflow.cli import app
from geoflow.codes import CODES
from geoflow.diagnostics import Diagnostic, DiagnosticError, Source, Span
from geoflow.options import CheckOptions
from geoflow.results import (
    Certificate,
    ClaimResult,
    FoundLaw,
    LawCount,
    ModelReport,
    RankRun,
    Report,
    Verification,
)

RUNNER = CliRunner()
LAW = FoundLaw("x**2 - y**2", "x^{2} - y^{2}", "x**2 - y**2", 1, 1, "polynomial", "proved")
MODEL = ModelReport(
    file="xy.geo",
    model="xy",
    summary="φ = x*y : 2 parameters → R, Euclidean, order 1",
    parameters=2,
    dimension=2,
    laws=LawCount(1, 1, "proved"),
    claims=(ClaimResult("law", "x**2 - y**2", "proved", name="h", line=3),),
    found=(LAW,),
    certificate=Certificate(2, (RankRun(67108859, (1, 1), 3, (5, 7)),), 0, 2, 1e-7),
    verify=None,
    facts={"depth": 0},
    facts_status={"depth": "proved"},
    assumes=("every data set", "every loss", "a generic point"),
    notes=(),
    seed=0,
    prime=67108859,
    seconds={"count": 0.01},
)
GOOD = Report((MODEL,), (), 0, 0.1)
SOURCE = Source("xy.geo", "model xy\nmap phi = x*z\n")
WRONG = Report(
    (), (Diagnostic("GEO0201", "`z` is not defined.", Span(SOURCE, 21, 22), "unknown"),), 2, 0.01
)
REFUTED = Report(
    (replace(MODEL, claims=(replace(MODEL.claims[0], verdict="refuted"),)),), (), 1, 0.1
)
VERIFIED = replace(MODEL, verify=Verification(1e-12, 2.0, 0.5, 3, ("squared",), 1e-6, "Dopri8"))


class Pipeline:
    """Answers with a report or raises, and remembers what it was asked."""

    def __init__(self, answer: Report | BaseException):
        self.answer = answer
        self.paths: list[str] = []
        self.options = CheckOptions()

    def check_paths(self, paths, options, observer=None, over_sizes=None) -> Report:
        self.paths, self.options = list(paths), options
        if isinstance(self.answer, BaseException):
            raise self.answer
        if observer is not None:
            observer.stage("counting", "[red]rank 1 of 2\x1b[31m")
            for model in self.answer.models:
                observer.counted(replace(model, verify=None))
                if model.verify is not None:
                    observer.verified(model)
        return self.answer


@pytest.fixture
def pipeline(monkeypatch):
    """Puts a pipeline in place of the real one."""

    def install(answer: Report | BaseException) -> Pipeline:
        fake, module = Pipeline(answer), ModuleType("geoflow.pipeline")
        module.__dict__["check_paths"] = fake.check_paths
        monkeypatch.setitem(sys.modules, "geoflow.pipeline", module)
        return fake

    return install


@pytest.mark.parametrize("report, code", [(GOOD, 0), (REFUTED, 1), (WRONG, 2)])
@pytest.mark.parametrize("format", ["full", "concise", "json"])
def test_exit_code_is_the_reports(pipeline, report, code, format):
    pipeline(report)
    result = RUNNER.invoke(app, ["check", "xy.geo", "--format", format])
    assert result.exit_code == code
    assert result.stdout and not result.stderr


def test_full_on_standard_output(pipeline):
    pipeline(GOOD)
    result = RUNNER.invoke(app, ["check", "xy.geo"])
    assert "✓ h" in result.stdout and "1, exactly" in result.stdout
    assert result.stdout.count("1, exactly") == 1


def test_wrong_file_is_shown_with_its_source(pipeline):
    pipeline(WRONG)
    stdout = RUNNER.invoke(app, ["check", "xy.geo"]).stdout
    assert "error[GEO0201]: `z` is not defined." in stdout and "^ unknown" in stdout


def test_concise_line(pipeline):
    pipeline(WRONG)
    stdout = RUNNER.invoke(app, ["check", "xy.geo", "--format", "concise"]).stdout
    assert stdout.splitlines()[0] == "xy.geo:2:13: GEO0201 `z` is not defined."


def test_json_is_all_of_standard_output(pipeline):
    pipeline(GOOD)
    data = json.loads(RUNNER.invoke(app, ["check", "xy.geo", "--format", "json"]).stdout)
    assert data["schema"] == 1 and data["models"][0]["model"] == "xy"


def test_quiet_is_one_line(pipeline):
    pipeline(GOOD)
    assert len(RUNNER.invoke(app, ["check", "xy.geo", "-q"]).stdout.splitlines()) == 1


def test_no_escape_bytes_when_colour_is_off(pipeline, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    pipeline(Report((replace(MODEL, model="x\x1b[31m"),), WRONG.diagnostics, 1, 0.1))
    result = RUNNER.invoke(app, ["check", "xy.geo"])
    assert "\x1b" not in result.output and r"x\x1b[31m" in result.output


def test_options_reach_the_pipeline(pipeline):
    fake = pipeline(GOOD)
    arguments = "check xy.geo -D n=5 -D d=[2,5,1] --seed 7 --timeout 2.5 --no-verify --strict"
    result = RUNNER.invoke(app, arguments.split())
    assert result.exit_code == 0
    assert fake.options == CheckOptions(
        {"n": "5", "d": "[2,5,1]"}, 7, 2.5, verify=False, strict=True
    )
    RUNNER.invoke(app, ["check", "xy.geo", "--plot", "drift.svg"])
    assert fake.options == CheckOptions(plot="drift.svg")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--plot", "drift.xyz"],
        ["--plot", "no_such_folder/drift.png"],
        ["--plot", "drift.png", "--no-verify"],
        ["--certificate", "no_such_folder/c.json"],
    ],
)
def test_files_that_cannot_be_written_are_refused_before_the_work(pipeline, arguments):
    fake = pipeline(GOOD)
    before = fake.paths
    result = RUNNER.invoke(app, ["check", "xy.geo", *arguments])
    assert result.exit_code == 2
    assert fake.paths == before


def test_defaults(pipeline):
    fake = pipeline(GOOD)
    RUNNER.invoke(app, ["check", "-"])
    assert fake.options == CheckOptions() and fake.paths == ["-"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"],
        ["check", "xy.geo", "-D", "n"],
        ["check", "xy.geo", "-D", "=3"],
        ["check", "xy.geo", "--timeout", "-1"],
        ["check", "xy.geo", "--timeout", "nan"],
        ["check", "xy.geo", "--seed", "-1"],
        ["check", "xy.geo", "--format", "yaml"],
        ["check", "xy.geo", "--certificate", "/nowhere/at/all.json"],
        ["laws", "-", "--format", "python"],
        ["new", "two words"],
        ["new", "in"],
        ["new", "--flow", "backward"],
        ["explain", "GEO9999"],
        ["frobnicate"],
    ],
)
def test_wrong_calls(pipeline, arguments):
    pipeline(GOOD)
    result = RUNNER.invoke(app, arguments)
    assert result.exit_code == 2
    assert result.stderr and "Traceback" not in result.output


@pytest.mark.parametrize("command", ["check", "laws"])
def test_own_fault(pipeline, command, monkeypatch):
    monkeypatch.delenv("GEOFLOW_DEBUG", raising=False)
    pipeline(ZeroDivisionError("rank \x1b[31m"))
    result = RUNNER.invoke(app, [command, "xy.geo", "--seed", "11"])
    assert result.exit_code == 3 and not result.stdout
    for word in ("geoflow failed", "seed 11", "report", "version", r"\x1b[31m"):
        assert word in result.stderr
    assert "Traceback" not in result.output


def test_traceback_on_request(pipeline, monkeypatch):
    monkeypatch.setenv("GEOFLOW_DEBUG", "1")
    pipeline(ZeroDivisionError("rank"))
    assert "Traceback" in RUNNER.invoke(app, ["check", "xy.geo"]).stderr


def test_interrupted(pipeline):
    pipeline(KeyboardInterrupt())
    result = RUNNER.invoke(app, ["check", "xy.geo"])
    assert result.exit_code == 130 and "Traceback" not in result.output


def test_diagnostics_that_escape_are_rendered(pipeline):
    pipeline(DiagnosticError(*WRONG.diagnostics))
    result = RUNNER.invoke(app, ["check", "xy.geo"])
    assert result.exit_code == 2 and "GEO0201" in result.stderr


def test_certificate(pipeline, tmp_path):
    pipeline(GOOD)
    file = tmp_path / "proof.json"
    assert RUNNER.invoke(app, ["check", "xy.geo", "--certificate", str(file)]).exit_code == 0
    run = json.loads(file.read_text())["models"][0]["certificate"]["runs"][0]
    expected = {"prime": 67108859, "ranks": [1, 1], "words": 3, "point": [5, 7], "anchored": None}
    assert run == expected


def test_each_block_is_printed_once_when_streamed(pipeline, monkeypatch):
    """On a terminal the verdict comes before the verification, and neither comes twice."""
    monkeypatch.setenv("TERM", "dumb")
    pipeline(replace(GOOD, models=(VERIFIED,)))
    stdout = RUNNER.invoke(app, ["check", "xy.geo", "--color", "always"]).stdout
    assert stdout.count("1, exactly") == stdout.count("verified") == 1
    assert stdout.index("1, exactly") < stdout.index("verified") < stdout.index("1 model")


@pytest.mark.parametrize(
    "format, expected",
    [("text", LAW.text), ("latex", LAW.latex), ("sympy", LAW.sympy)],
)
def test_laws(pipeline, format, expected):
    fake = pipeline(GOOD)
    result = RUNNER.invoke(app, ["laws", "xy.geo", "--format", format])
    assert (result.exit_code, result.stdout) == (0, f"{expected}\n")
    assert not fake.options.verify


def test_laws_of_several_models_are_told_apart(pipeline):
    pipeline(replace(GOOD, models=(MODEL, replace(MODEL, model="other"))))
    stdout = RUNNER.invoke(app, ["laws", "xy.geo"]).stdout
    assert stdout.splitlines() == ["# xy", LAW.text, "# other", LAW.text]


def test_laws_as_json(pipeline):
    pipeline(GOOD)
    data = json.loads(RUNNER.invoke(app, ["laws", "xy.geo", "--format", "json"]).stdout)
    assert data["models"][0]["found"][0]["text"] == LAW.text


def test_laws_says_when_formulas_are_missing(pipeline):
    pipeline(replace(GOOD, models=(replace(MODEL, laws=LawCount(2, 2, "proved")),)))
    result = RUNNER.invoke(app, ["laws", "xy.geo"])
    assert "2 laws, formulas for 1" in result.stderr


def test_laws_of_a_wrong_file(pipeline):
    pipeline(WRONG)
    result = RUNNER.invoke(app, ["laws", "xy.geo"])
    assert result.exit_code == 2 and "GEO0201" in result.stderr and not result.stdout


def test_folders_are_searched(tmp_path):
    for name in ("b.geo", "a/c.geo", ".hidden/d.geo", "a/e.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    (tmp_path / "empty").mkdir()
    found = [str(tmp_path / name) for name in ("a/c.geo", "b.geo")]
    assert expand([str(tmp_path)]) == found
    assert expand(["-", found[1], str(tmp_path)]) == ["-", found[1], found[0]]
    assert expand([str(tmp_path / "empty")]) == [str(tmp_path / "empty")]


def test_alone_it_shows_what_to_type():
    result = RUNNER.invoke(app, [])
    head, _, example = result.stdout.partition("\n\nExample:\n")
    assert result.exit_code == 0
    assert len(head.splitlines()) == 5 and "map phi" in example


def test_version():
    result = RUNNER.invoke(app, ["--version"])
    assert result.exit_code == 0 and result.stdout.startswith("geoflow ")


@pytest.mark.parametrize("flow", ["gradient", "momentum", "mirror"])
def test_new(flow, snapshot):
    result = RUNNER.invoke(app, ["new", "first", "--flow", flow])
    assert result.exit_code == 0
    assert result.stdout == snapshot


def test_new_never_overwrites_unasked(tmp_path):
    file = tmp_path / "model.geo"
    assert RUNNER.invoke(app, ["new", "-o", str(file)]).exit_code == 0
    file.write_text("mine")
    refused = RUNNER.invoke(app, ["new", "-o", str(file)])
    assert refused.exit_code == 2 and "--force" in refused.stderr and file.read_text() == "mine"
    assert RUNNER.invoke(app, ["new", "-o", str(file), "--force"]).exit_code == 0
    assert "model linear" in file.read_text()


@pytest.mark.parametrize("code", ["GEO0301", "geo0301", "0301", "301"])
def test_explain(code):
    result = RUNNER.invoke(app, ["explain", code])
    assert result.exit_code == 0
    assert "GEO0301: shapes do not fit" in result.stdout and "<!--" not in result.stdout


def test_explain_alone_lists_all():
    lines = RUNNER.invoke(app, ["explain"]).stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(CODES)


def test_explain_suggests():
    assert "GEO0301" in RUNNER.invoke(app, ["explain", "GEO03O1"]).stderr
    assert "GEO0201" in RUNNER.invoke(app, ["explain", "unknown names"]).stderr


def test_light_commands_load_nothing_heavy():
    """Reading the arguments must not cost the import of JAX or SymPy."""
    script = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from geoflow.cli import app\n"
        "runner = CliRunner()\n"
        "for call in ([], ['--help'], ['new'], ['explain', '301'], ['check', '-D', 'x']):\n"
        "    runner.invoke(app, call)\n"
        "import geoflow.report.terminal, geoflow.report.machine, geoflow.report.formulas\n"
        "print(sorted({'jax', 'sympy', 'numpy', 'flint', 'diffrax'} & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


def test_module_runs():
    assert importlib.util.find_spec("geoflow.__main__") is not None
    result = subprocess.run(
        [sys.executable, "-m", "geoflow", "explain"], capture_output=True, text=True
    )
    assert result.returncode == 0 and result.stdout.startswith("GEO0101")


def test_nothing_ends_in_a_traceback(monkeypatch, capsys):
    def broken(prog_name):
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(cli, "app", broken)
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 3
    assert "geoflow failed: RuntimeError: unforeseen" in capsys.readouterr().err


def test_output_that_cannot_carry_unicode():
    result = subprocess.run(
        [sys.executable, "-m", "geoflow", "explain", "GEO0601"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert result.returncode == 0 and result.stdout.isascii()
    assert b"d phi^T a" in result.stdout or b"dphi^T a" in result.stdout
