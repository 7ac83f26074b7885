"""Notebooks: the magic in a shell, results as cards, a notebook run from its first cell to its last."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import geoflow as gf
from geoflow.notebook import Card, Line, cards_html, report_html
from geoflow.options import CheckOptions
from geoflow.pipeline import check_text

pytest.importorskip("IPython", reason="IPython is not installed")
GOOD = "param x, y\nmap phi = x*y\nlaw h = x**2 - y**2\n"
FALSE = GOOD.replace("-", "+")
WRONG = "param x\nmap phi = x*z\n"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def shell() -> Iterator[Any]:
    from IPython.core.interactiveshell import InteractiveShell

    InteractiveShell.clear_instance()
    made = InteractiveShell.instance()
    made.run_line_magic("load_ext", "geoflow")
    yield made
    made.run_line_magic("unload_ext", "geoflow")
    if made.history_manager is not None:
        made.history_manager.end_session()
    InteractiveShell.clear_instance()


def test_magic(shell) -> None:
    report = shell.run_cell_magic("geoflow", "xy --no-verify", GOOD)
    assert report.exit_code == 0 and shell.user_ns["xy"] is report
    assert shell.user_ns["xy_flow"].dimension == 2
    html = shell.display_formatter.format(report)[0]["text/html"]
    assert "1 law, exactly" in html and "<math>" in html and "proved" in html


def test_magic_with_options(shell) -> None:
    sized = "dim n = 2\nparam U[n], V[n]\nmap phi = U*V\n"
    report = shell.run_cell_magic("geoflow", "-D n=3 --seed 5 --no-verify", sized)
    assert (report.models[0].parameters, report.models[0].seed) == (6, 5)


def test_magic_draws_what_it_integrates(shell) -> None:
    report = shell.run_cell_magic("geoflow", "", GOOD + "verify { trials 1; time 1 }\n")
    assert report.models[0].verify is not None and "<svg" in report._repr_html_()


def test_magic_with_a_false_claim_and_a_wrong_cell(shell) -> None:
    refuted = shell.run_cell_magic("geoflow", "--no-verify", FALSE)._repr_html_()
    assert "refuted" in refuted and "d/dt h" in refuted
    wrong = shell.run_cell_magic("geoflow", "later", WRONG)
    assert wrong.exit_code == 2 and "later_flow" not in shell.user_ns
    assert "GEO0201" in wrong._repr_html_() and "proved" not in wrong._repr_html_()


@pytest.mark.parametrize("line", ["-D n", "2x", "--sed 3"])
def test_magic_refuses(shell, line) -> None:
    from IPython.core.error import UsageError

    with pytest.raises(UsageError):
        shell.run_cell_magic("geoflow", line, GOOD)


def test_analysis_flow_and_law() -> None:
    flow = gf.Flow(lambda p: p["U"] @ p["V"].T, {"U": np.zeros((2, 2)), "V": np.zeros((2, 2))})
    found = gf.analyze(flow)
    html = found._repr_html_()
    assert "3 independent laws" in html and "<mi>U</mi>" in html and "symmetry" in html
    assert "U[2, 2], V[2, 2]" in flow._repr_html_()
    assert found.laws[0]._repr_latex_() == r"$U^\top U - V^\top V$"


def test_an_unsettled_count_does_not_look_proved() -> None:
    html = cards_html(Card("1 to 3 independent laws", "bounded"))
    assert 'class="open"' in html and 'class="sure"' not in html


def test_texts_are_escaped() -> None:
    html = cards_html(Card(EVIL, "proved", (EVIL,), (Line("proved", EVIL, None, EVIL, (EVIL,)),)))
    assert EVIL not in html and html.count("&lt;script&gt;") == 5
    report = check_text(f"# {EVIL}\n{GOOD}", EVIL, CheckOptions(verify=False, exhibit=True))
    assert EVIL not in report_html(report)


def test_a_notebook_runs() -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    v4 = nbformat.v4
    cells = [
        v4.new_code_cell("%load_ext geoflow"),
        v4.new_code_cell(f"%%geoflow xy --no-verify\n{GOOD}"),
        v4.new_code_cell("import geoflow as gf\nfound = gf.analyze(xy_flow)\nfound"),
        v4.new_code_cell("found.laws[0]"),
        v4.new_code_cell("xy_flow"),
    ]
    notebook = v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [cell.outputs[-1].data for cell in notebook.cells[1:]]
    assert "1 law, exactly" in shown[0]["text/html"]
    assert "1 independent law" in shown[1]["text/html"]
    assert re.fullmatch(r"\$x\^\{2\} - y\^\{2\}\$", shown[2]["text/latex"])
    assert "2 coordinates" in shown[3]["text/html"]
