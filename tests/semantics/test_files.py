"""Files: reading, `use`, sizes from outside; and what the front end does not load."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

from geoflow.semantics import load, load_text
from geoflow.semantics.overrides import settle_unknown

from .samples import codes, model

# ---------------------------------------------------------------- files and overrides


def test_overrides():
    text = "dim n = 2, d[0..2] = [2, 5, 1]\nconst tau = 1/2, eta symbolic\n"
    text += "param U[n, d[1]]\nmap f = U*tau*eta"
    found = model(text, n="5", d="[2, 7, 1]", tau="3/2", eta="0.1")
    assert found.parameters[0].shape == (5, 7)
    assert [c.value for c in found.constants] == [Fraction(3, 2), Fraction(1, 10)]
    assert codes(text, n="0") == ["GEO0303"]
    assert codes(text, d="[2, 7]") == ["GEO0204"]
    for name, value in (("k", "3"), ("U", "3"), ("n", ""), ("n", "3 4"), ("n", "m"), ("n", "f(2)"),
                        ("n", "(1]"), ("d", "[[1], 2]"), ("n", "t")):  # fmt: skip
        assert codes(text, **{name: value}) == ["GEO0109"], (name, value)


def test_a_name_that_one_of_several_files_has_is_given_to_that_file():
    texts = ("dim n = 2\nparam U[n]\nmap f = U", "dim width = 4\nparam U[width]\nmap f = U")

    def given(**overrides: str):
        read = [load_text(text, overrides=overrides, lenient=True) for text in texts]
        return [models for models, _ in read], settle_unknown([found for _, found in read])

    ((first,), (second,)), found = given(n="3")
    assert found == ((), ())
    assert (first.parameters[0].shape, second.parameters[0].shape) == ((3,), (4,))
    _, ((error,), rest) = given(widht="3")
    assert (error.code, error.severity, rest) == ("GEO0109", "error", ())
    assert error.hints == ("did you mean `-D width=3`?",)
    _, ((error,), _) = given(q="3")
    assert error.hints in (
        ("only `dim` and `const` can be given: `n`",),
        ("only `dim` and `const` can be given: `width`",),
    )
    _, found = given(n="U")
    assert [[d.code for d in own] for own in found] == [["GEO0109"], []]
    assert [d.severity for d in load_text(texts[0], overrides={"width": "3"})[1]] == ["error"]


def test_an_empty_folder_says_so(tmp_path: Path):
    (empty,) = load(tmp_path)[1]
    assert empty.message == f"The folder `{tmp_path}` holds no `.geo` file."
    (tmp_path / "a.geo").write_text("param U[2]\nmap f = U")
    (folder,) = load(tmp_path)[1]
    assert folder.message == f"`{tmp_path}` cannot be read: it is a folder."
    assert (empty.code, folder.code) == ("GEO0103", "GEO0103")
    (used,) = load_text('use "."\nparam U[2]\nmap f = U', folder=tmp_path)[1]
    assert used.code == "GEO0110"
    assert used.label == "it is a folder"


def test_load_reads_files(tmp_path: Path):
    path = tmp_path / "two.geo"
    path.write_text("param U[2]\nmap f = U*sum(U)", encoding="utf-8")
    (found,), diagnostics = load(path)
    assert diagnostics == ()
    assert (found.name, found.file) == ("two", str(path))
    assert [d.code for d in load(tmp_path / "none.geo")[1]] == ["GEO0103"]
    assert [d.code for d in load(str(tmp_path))[1]] == ["GEO0103"]


def test_use(tmp_path: Path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "layers.geo").write_text('use "sizes.geo"\ndef layer(W, x) = W @ x\n')
    (tmp_path / "lib" / "sizes.geo").write_text("dim n = 3\nconst c = 1/2\nlet half = c\n")
    text = 'use "lib/layers.geo"\nuse "lib/sizes.geo"\nmodel a\nparam W[n, n], x[n]\n'
    text += "map f = layer(W, x)*half\nmodel b\nparam x[n]\nmap f = layer(eye(n), x)"
    (tmp_path / "main.geo").write_text(text)
    models, diagnostics = load(tmp_path / "main.geo")
    assert diagnostics == ()
    assert [m.maps[0].shape for m in models] == [(3,), (3,)]
    models, diagnostics = load(tmp_path / "main.geo", {"n": "4"})
    assert [m.maps[0].shape for m in models] == [(4,), (4,)]
    assert [m.name for m in load_text(text, folder=tmp_path)[0]] == ["a", "b"]
    assert [d.code for d in load_text(text)[1]] == ["GEO0110", "GEO0110"]


def test_what_cannot_be_used(tmp_path: Path):
    inside = tmp_path / "project"
    inside.mkdir()
    (tmp_path / "outside.geo").write_text("dim n = 3\n")
    (inside / "link.geo").symlink_to(tmp_path / "outside.geo")
    (inside / "a.geo").write_text('use "b.geo"\n')
    (inside / "b.geo").write_text('use "a.geo"\n')
    (inside / "folder.geo").mkdir()
    (inside / "model.geo").write_text("param U[3]\n")
    (inside / "wrong.geo").write_text("dim n = (3\nlet a = zz\n")

    def found(name: str) -> list[str]:
        text = f'use "{name}"\nparam U[n]\nmap f = U + whatever'
        return [d.code for d in load_text(text, folder=inside)[1]]

    for name in ("none.geo", "../outside.geo", "link.geo", str(tmp_path / "outside.geo"), "a.geo",
                 "folder.geo", "std/none.geo", "std/../layers.geo", "std/", "a\tb"):  # fmt: skip
        assert found(name) == ["GEO0110"], name
    assert "GEO0407" in found("model.geo")
    assert sorted(found("wrong.geo")) == ["GEO0102", "GEO0201", "GEO0201"]


def test_the_front_end_loads_no_numerics():
    code = (
        "import sys; from geoflow.semantics import load_text; load_text('param U\\nmap f = V');"
        "print(sorted({m.split('.')[0] for m in sys.modules}"
        " & {'jax', 'numpy', 'sympy', 'flint', 'scipy'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
