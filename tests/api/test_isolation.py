"""A host program keeps its JAX configuration; a mistake is told before JAX or SymPy is loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

HOST = """
import jax, jax.numpy as jnp, numpy as np

def host(x):
    return jnp.sum(jnp.tanh(x) * jnp.sqrt(jnp.abs(x)) / 3, axis=0)

x = jnp.asarray(np.random.default_rng(0).normal(size=(50, 7)), jnp.float32)
compiled = jax.jit(host)
before = np.asarray(compiled(x)).tobytes()

def unchanged():
    assert jax.config.jax_enable_x64 is False
    assert jax.config.jax_default_matmul_precision is None
    assert jnp.ones(1).dtype == jnp.float32
    assert jnp.asarray(1.0).dtype == jnp.float32
    assert np.asarray(compiled(x)).tobytes() == before
    assert np.asarray(jax.jit(lambda v: host(v))(x)).tobytes() == before

import geoflow as gf
unchanged()
flow = gf.Flow(lambda p: p["U"] @ p["V"].T, {"U": jnp.zeros((2, 1)), "V": jnp.zeros((1, 1))})
unchanged()
laws = gf.analyze(flow).laws
unchanged()
assert str(laws[0].sympy()) and laws[0].latex()
value = laws[0].jax()({"U": jnp.ones((2, 1)), "V": jnp.ones((1, 1))})
assert value.dtype == jnp.float32
unchanged()
gf.verify(flow, laws)
unchanged()
gf.check("examples/linear.geo")
unchanged()
"""


def run(code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_host_in_single_precision_is_left_alone():
    run(HOST)


def test_importing_loads_neither_jax_nor_sympy():
    run(
        "import sys, geoflow\n"
        "dir(geoflow)\n"
        "heavy = {'jax', 'sympy', 'diffrax', 'matplotlib', 'flint'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )


def test_a_wrong_file_is_answered_without_jax_and_sympy(tmp_path):
    wrong = tmp_path / "wrong.geo"
    wrong.write_text("param U[4, 3], V[5, 2]\nmap phi = U @ V.T\n", encoding="utf-8")
    run(
        "import sys\n"
        "from geoflow.pipeline import check_paths\n"
        f"report = check_paths([{str(wrong)!r}])\n"
        "assert [d.code for d in report.diagnostics] == ['GEO0301']\n"
        "heavy = {'jax', 'sympy', 'diffrax', 'matplotlib', 'flint'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )


def test_a_check_without_trajectories_loads_neither_sympy_nor_scipy():
    """Each would cost a fifth of a second at every start."""
    run(
        "import sys\n"
        "from geoflow.pipeline import check_paths\n"
        "from geoflow.options import CheckOptions\n"
        "report = check_paths(['examples/linear.geo'], CheckOptions(verify=False))\n"
        "assert report.exit_code == 0\n"
        "heavy = {'scipy', 'sympy', 'diffrax', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
