"""From many threads and processes at once the answers are those of one call alone, and a host program keeps its own:
numbers bit by bit, and all global state."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import flint
import pytest

from geoflow.exact.precision import working_precision
from geoflow.options import CheckOptions
from geoflow.pipeline import check_text

ROOT = Path(__file__).parents[2]
TEXTS = {
    "product": "model product\nparam x, y, z\nmap phi = x*y*z\nlaw first = x**2 - y**2\n",
    "linear": "model linear\nparam U[2, 2], V[2, 2]\nmap phi = U @ V.T\nexpect laws = 3\n",
    "wrong": "model wrong\nparam U[2, 1], V[2, 1]\nmap phi = U @ V.T\nlaw h = U.T @ U + V.T @ V\n",
    "momentum": "model m\nparam x, y\nmap phi = x*y\nflow order 2 damping 1\n",
    "smooth": "model smooth\nparam w[2], a\ninput x[2]\nnetwork g = a*tanh(sum(w*x))\n",
    "exponential": "model e\nparam w, a, b\ninput x\nnetwork g = a*exp(w*x) + b\n",
    "root": "model root\nparam x, y\nmap phi = sqrt(x)*y\n",
    "relu": "model r\nparam W[2, 2], a[2]\ninput x[2]\nnetwork g = sum(a*relu(W @ x))\n",
}
JOBS = [(name, seed) for name in TEXTS for seed in (0, 1)]


def answer(job: tuple[str, int]) -> Any:
    """All that a check says, but times."""
    name, seed = job
    report = check_text(TEXTS[name], f"{name}.geo", CheckOptions(seed=seed, verify=False))
    models = tuple(replace(m, seconds={}) for m in report.models)
    return repr((models, report.diagnostics, report.exit_code))


def test_the_models_are_models():
    for name in TEXTS:
        assert "ModelReport" in answer((name, 0)), name


def test_threads_say_what_one_thread_says():
    alone = {job: answer(job) for job in JOBS}
    before = flint.ctx.prec
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda job: (job, answer(job)), JOBS + JOBS[::-1]))
    assert [job for job, said in together if said != alone[job]] == []
    assert flint.ctx.prec == before


def test_threads_take_turns_with_the_precision_of_balls():
    """It is one number of the process: without turns some thread meets another's, and leaves it behind."""
    before = flint.ctx.prec

    def met(bits: int) -> set[int]:
        found = set()
        for _ in range(300):
            with working_precision(bits):
                found.add(flint.ctx.prec)
                str(flint.arb.pi())
                found.add(flint.ctx.prec)
        return found

    with ThreadPoolExecutor(4) as pool:
        bits = (64, 128, 256, 512)
        assert list(pool.map(met, bits)) == [{b} for b in bits]
    assert flint.ctx.prec == before


def run(code: str, **options: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **options},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


PROCESSES = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
from tests.trust.answers import answer, JOBS

if __name__ == "__main__":
    jobs = JOBS[:6]
    with ProcessPoolExecutor(2, multiprocessing.get_context(METHOD)) as pool:
        together = list(pool.map(answer, jobs))
    assert together == [answer(job) for job in jobs]
    print("same")
"""


@pytest.mark.parametrize(
    "method",
    [
        "fork",  # before JAX is loaded, whose threads a fork would lose
        pytest.param("spawn", marks=pytest.mark.slow),
        pytest.param("forkserver", marks=pytest.mark.slow),
    ],
)
def test_processes_say_what_one_process_says(tmp_path: Path, method: str):
    script = tmp_path / "script.py"
    code = PROCESSES.replace("METHOD", repr(method))
    code = code.replace("tests.trust.answers", "tests.trust.test_concurrency")
    script.write_text(code, encoding="utf-8")
    out = run(
        f"import runpy, sys; sys.path.insert(0, {str(tmp_path)!r}); "
        f"runpy.run_path({str(script)!r}, run_name='__main__')"
    )
    assert out == "same\n"


HOST = """
import decimal, gc, locale, logging, os, random, signal, sys, threading, time, warnings
import diffrax, flint, jax, jax.numpy as jnp, matplotlib, mpmath, numpy as np, scipy.linalg, sympy

matplotlib.use("svg")
np.set_printoptions(precision=3, threshold=7)
np.random.seed(5)
random.seed(5)
warnings.simplefilter("default")
logging.getLogger().setLevel(logging.INFO)
decimal.getcontext().prec = 11
mpmath.mp.prec = 61
flint.ctx.prec = 77
matplotlib.rcParams["lines.linewidth"] = 2.5

def state():
    return {
        "jax": dict(jax.config.values),
        "x64": jax.config.jax_enable_x64,
        "print": np.get_printoptions(),
        "errors": np.geterr(),
        "numpy random": repr(np.random.get_state()),
        "random": random.getstate(),
        "filters": list(warnings.filters),
        "show": warnings.showwarning,
        "logging": (logging.getLogger().level, list(logging.getLogger().handlers), logging.root.manager.disable),
        "decimal": repr(decimal.getcontext()),
        "mpmath": (mpmath.mp.prec, mpmath.mp.dps),
        "flint": (flint.ctx.prec, flint.ctx.pretty, flint.ctx.threads),
        "matplotlib": (dict(matplotlib.rcParams), matplotlib.get_backend()),
        "recursion": sys.getrecursionlimit(),
        "digits": sys.get_int_max_str_digits(),
        "signals": {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)},
        "gc": (gc.isenabled(), gc.get_threshold()),
        "locale": locale.setlocale(locale.LC_ALL),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "path": list(sys.path),
        "hooks": (sys.excepthook, threading.excepthook, sys.displayhook),
        "stack": threading.stack_size(),
        "switch": sys.getswitchinterval(),
    }

def host(x):
    return jnp.sum(jnp.tanh(x) * jnp.sqrt(jnp.abs(x)) / 3, axis=0)

x = jnp.asarray(np.random.default_rng(0).normal(size=(50, 7)), jnp.float32)
compiled = jax.jit(host)
expected = np.asarray(compiled(x)).tobytes()
begin, wrong, count, stop = state(), [], [0], threading.Event()

def numbers(k):
    np.set_printoptions(precision=4)  # each thread has its own
    text = str(np.linspace(0, 1, 20))
    while not stop.is_set() or count[0] < 20:
        fresh = jax.jit(lambda v: host(v) * 1)  # traced anew, while others trace
        for value in (compiled(x), fresh(x)):
            if value.dtype != jnp.float32 or np.asarray(value).tobytes() != expected:
                wrong.append((k, value.dtype))
        if jnp.asarray(1.0).dtype != jnp.float32 or jax.config.jax_enable_x64:
            wrong.append((k, "x64"))
        if str(np.linspace(0, 1, 20)) != text:
            wrong.append((k, "print options"))
        count[0] += 1
        time.sleep(0.2)

host_threads = [threading.Thread(target=numbers, args=(k,)) for k in range(2)]
for thread in host_threads:
    thread.start()

failed = []
def work():
    try:
        import geoflow as gf
        from geoflow.options import CheckOptions
        from geoflow.pipeline import check_text
        from tests.trust.test_concurrency import TEXTS
        for name in ("product", "wrong", "smooth"):
            check_text(TEXTS[name], name, CheckOptions(verify=name == "product"))
        flow = gf.Flow(lambda p: p["U"] @ p["V"].T, {"U": jnp.zeros((2, 1)), "V": jnp.zeros((1, 1))})
        result = gf.analyze(flow)
        assert str(result.laws[0].sympy()) and result.laws[0].latex()
    except BaseException as error:
        failed.append(repr(error))
        raise

worker = threading.Thread(target=work)  # signals belong to the main thread: geoflow needs none
worker.start(); worker.join()
stop.set()
for thread in host_threads:
    thread.join()
assert not failed, failed
assert not wrong, wrong[:5]
assert count[0] >= 20
after = state()
changed = [k for k in begin if begin[k] != after[k]]
assert not changed, [(k, begin[k], after[k]) for k in changed]
assert np.asarray(compiled(x)).tobytes() == expected
print("unchanged")
"""


@pytest.mark.slow
def test_a_host_with_threads_of_its_own_is_left_alone():
    assert run(HOST) == "unchanged\n"


PAGES = HOST.replace(
    "        from geoflow.options import CheckOptions\n",
    "        import contextlib, io, tempfile\n"
    "        from geoflow.cli import main\n"
    "        folder = tempfile.mkdtemp()\n"
    "        report = gf.check('examples/product.geo')\n"
    "        report._repr_html_()\n"
    "        from geoflow.options import CheckOptions\n",
).replace("        from geoflow.cli import main\n", "")


@pytest.mark.slow
def test_a_host_of_pages_is_left_alone():
    assert run(PAGES) == "unchanged\n"


@pytest.mark.slow
def test_the_test_sees_what_changes():
    """A change that a careless library would make is found."""
    careless = HOST.replace(
        "import geoflow as gf\n", "import geoflow as gf; flint.ctx.prec = 53; return\n"
    )
    assert careless != HOST
    with pytest.raises(AssertionError, match="flint"):
        run(careless)
