"""The folder that VS Code opens: every file it names is there, and it says what the project says."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from geoflow.formatting.documents import INDENT

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "grammar/vscode"
MANIFEST = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_manifest_names_files_that_are_there():
    given = MANIFEST["contributes"]
    named = [MANIFEST["main"], given["languages"][0]["configuration"], given["grammars"][0]["path"]]
    assert all((FOLDER / name).is_file() for name in named)
    grammar = json.loads((FOLDER / given["grammars"][0]["path"]).read_text(encoding="utf-8"))
    assert grammar["scopeName"] == given["grammars"][0]["scopeName"]
    assert given["grammars"][0]["language"] == given["languages"][0]["id"] == "geo"
    assert given["configurationDefaults"]["[geo]"]["editor.tabSize"] == INDENT


def test_versions_and_licenses_agree():
    assert (MANIFEST["version"], MANIFEST["license"]) == (PROJECT["version"], PROJECT["license"])
    cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {PROJECT['version']}\n" in cited
    assert f"\nlicense: {PROJECT['license']}\n" in cited


def test_the_client_uses_the_settings_and_commands_that_are_declared():
    client = (FOLDER / MANIFEST["main"]).read_text(encoding="utf-8")
    settings = set(MANIFEST["contributes"]["configuration"]["properties"])
    assert {
        f"geoflow.{name}" for name in re.findall(r'settings\.get\("(\w+)"\)', client)
    } == settings
    commands = {each["command"] for each in MANIFEST["contributes"]["commands"]}
    assert set(re.findall(r'registerCommand\("([\w.]+)"', client)) == commands
    started = MANIFEST["contributes"]["configuration"]["properties"]["geoflow.command"]["default"]
    assert started[0] in PROJECT["scripts"] and started[1:] == ["lsp"]


def test_words_are_names_of_the_language():
    configuration = json.loads((FOLDER / "language-configuration.json").read_text(encoding="utf-8"))
    assert configuration["comments"] == {"lineComment": "#"}
    assert "u" in configuration["wordPattern"]["flags"]
