"""The locks hold what `pyproject.toml` asks for, with hashes, and the oldest versions are those of its bounds."""

from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement

from .locks import LOCKS, ROOT, asked, disagreements, lower_bounds, pins, project, unhashed

CI = (LOCKS / "ci.txt").read_text(encoding="utf-8")
OLDEST = (LOCKS / "oldest.txt").read_text(encoding="utf-8")
OLDEST_EXTRAS = ("test", "cluster", "notebook")
BUILD = "setuptools>=77"


def test_the_lock_holds_what_is_asked_for():
    assert list(disagreements(asked(project(), ["dev"]), CI)) == []
    assert "setuptools" in pins(CI)  # installing without build isolation takes it from here


def test_the_oldest_versions_are_those_of_the_bounds():
    requirements = asked(project(), OLDEST_EXTRAS)
    assert list(disagreements(requirements, OLDEST)) == []
    held = pins(OLDEST)
    bounds = lower_bounds(requirements)
    newer = {
        name: [str(version) for version, _ in held[name]]
        for name, bound in bounds.items()
        if any(version.release[: len(bound.release)] != bound.release for version, _ in held[name])
    }
    assert newer == {}


@pytest.mark.parametrize("lock", [CI, OLDEST], ids=["ci", "oldest"])
def test_every_file_has_a_hash_and_no_host_is_named(lock: str):
    assert len(pins(lock)) > 80
    assert unhashed(lock) == []
    assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links|--trusted-host", lock)


@pytest.mark.parametrize("lock", [CI, OLDEST], ids=["ci", "oldest"])
def test_a_change_without_the_lock_is_found(lock: str):
    asked_for = [Requirement(r) for r in ("numpy>=99", "nowhere>=1", "jax>=0.7,<0.11")]
    found = list(disagreements(asked_for, lock))
    assert len(found) >= 2 and "nowhere>=1 is not locked" in found
    assert any(line.startswith("numpy ") for line in found)
    cut = lock.replace("--hash=sha256:", "--hash=md5:", 1)
    assert len(unhashed(re.sub(r"(?m)^(lark==.*\\\n)(    --hash.*\n)+", r"\1", cut))) == 1


def test_what_builds_the_package_is_what_the_lock_holds():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'requires = ["{BUILD}"]' in text
    assert list(disagreements([Requirement(BUILD)], CI)) == []


def test_continuous_integration_installs_the_lock_alone():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    installs = [line for line in lines if "pip install" in line and "[test]" not in line]
    assert len(installs) >= 4
    for line in installs:
        assert "--require-hashes" in line or (
            "--no-deps" in line and "--no-build-isolation" in line
        )
