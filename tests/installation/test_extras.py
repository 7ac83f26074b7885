"""Without the extras geoflow checks, reports and counts, and what needs one says how to install it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from geoflow.extras import needing

ROOT = Path(__file__).parents[2]

BARE = """
import sys

class Missing:
    names = {"torch", "pygls", "lsprotocol", "distributed", "dask", "IPython", "jsonschema", "pytest"}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
import geoflow as gf
from typer.testing import CliRunner
from geoflow.cli import app

def call(*arguments):
    return CliRunner().invoke(app, arguments)

"""
CASES = {
    "check": """
result = call("check", "examples/product.geo", "--no-verify", "--certificate", FOLDER + "/proof.json")
assert result.exit_code == 0, result.output
assert call("recheck", FOLDER + "/proof.json").exit_code == 0
result = call("report", "examples/product.geo", "--no-verify", "-o", FOLDER + "/page.html")
assert result.exit_code == 0, result.output
assert call("explain", "GEO0301").exit_code == 0
gf.check("examples/product.geo")._repr_html_()
""",
    "lsp": """
result = call("lsp")
assert result.exit_code == 2 and "pip install 'geoflow[lsp]'" in result.output, result.output
""",
    "torch": """
import numpy as np
analysis = gf.analyze(gf.Flow(lambda p: p["x"] * p["y"], {"x": np.zeros(2), "y": np.zeros(2)}))
for needs in (lambda: analysis.laws[0].torch(), lambda: gf.watch(analysis, rate=0.1).torch(None, None)):
    try:
        needs()
    except ModuleNotFoundError as error:
        assert "pip install 'geoflow[torch]'" in str(error) and error.name == "torch"
    else:
        raise AssertionError
""",
    "cluster": """
from pathlib import Path
Path(FOLDER, "family.geo").write_text(
    "model f\\ndim n = 2\\nparam u[n], v[n]\\nmap phi = u*v\\nsweep n in 1..2\\n"
)
result = call("sweep", FOLDER + "/family.geo", "--rank-only", "--scheduler", "tcp://127.0.0.1:1")
assert result.exit_code == 2 and "geoflow[cluster]" in result.output, result.output
""",
    "notebook": """
try:
    gf.load_ipython_extension(None)
except ModuleNotFoundError as error:
    assert "pip install 'geoflow[notebook]'" in str(error)
else:
    raise AssertionError
""",
}


@pytest.mark.parametrize("name", CASES)
def test_without_the_extras(tmp_path: Path, name: str):
    done = subprocess.run(
        [sys.executable, "-c", f"{BARE}\nFOLDER = {str(tmp_path)!r}\n{CASES[name]}"],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "NO_COLOR": "1",
            "GEOFLOW_CACHE": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_another_missing_module_is_another_error():
    with (
        pytest.raises(ModuleNotFoundError, match="No module named 'nowhere'"),
        needing("torch", "torch", "this"),
    ):
        import nowhere  # type: ignore  # noqa: F401
