"""The list of mutants that survive with a reason is about the code as it is."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = ROOT / "tests" / "trust"
MODULES = tomllib.loads((HERE / "mutation.toml").read_text())["modules"]
ENTRIES = [
    (module, entry)
    for file in sorted((HERE / "survivors").glob("*.toml"))
    for module, entries in tomllib.loads(file.read_text()).items()
    for entry in entries
]


@pytest.mark.parametrize("module", MODULES)
def test_modules_and_their_tests_are_there(module: str):
    assert (ROOT / "geoflow" / f"{module}.py").is_file()
    assert all((ROOT / test).exists() for test in MODULES[module])


def test_what_is_mutated_is_in_the_module_and_every_reason_is_given():
    for module, entry in ENTRIES:
        lines = [s.strip() for s in (ROOT / "geoflow" / f"{module}.py").read_text().splitlines()]
        assert module in MODULES
        assert set(entry["was"].splitlines()) <= set(lines), entry
        assert entry["was"] != entry["now"] and entry["why"].strip()
        name = entry["function"].rpartition(".")[2]
        assert any(line.startswith(f"def {name}(") for line in lines), entry
