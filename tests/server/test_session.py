"""A session of the language server: every feature, on text that is not ASCII."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lsprotocol import types

from geoflow.diagnostics import Source
from geoflow.formatting import format_text

from .session import Session, applied, place

TEXT = """\
# 𝒳 is outside the basic plane
use "layers.geo"
dim n = 4, ρ = 3
model linear
const τ = 1/2
param θ[n, ρ], 𝒳[n, ρ], W[l in 1..2][ρ, ρ]
let 𝒳θ = 𝒳.T @ θ
map φ = [θ @ 𝒳.T, W[2] @ W[1]]
metric scaled(τ) on θ, 𝒳
law balance = θ.T @ θ - 𝒳.T @ 𝒳
law chained = W[2].T @ twice(W[2]) - 2*W[1] @ W[1].T
expect laws of θ, 𝒳 = ρ*(ρ + 1)/2
"""
LAYERS = "def twice(A) = 2*A\n"


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    running = Session(checkOnSave=False)
    yield running
    running.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "layers.geo").write_text(LAYERS, encoding="utf-8")
    return tmp_path / "linear.geo"


def test_diagnostics_come_with_every_change(session: Session, path: Path):
    assert session.open(path, TEXT) == []
    wrong = TEXT.replace("let 𝒳θ = 𝒳.T @ θ", "let 𝒳θ = 𝒳.T @ θθ + 𝒳 @ 𝒳")
    (found,) = session.change(path, wrong)
    line, column = place(wrong, "θθ")
    assert found.range == types.Range(
        types.Position(line, column), types.Position(line, column + 2)
    )
    assert (found.code, found.source) == ("GEO0201", "geoflow")
    assert "did you mean" in found.message or "not declared" in found.message
    assert session.change(path, TEXT) == []


def test_related_places_are_told(session: Session, path: Path):
    (found,) = session.open(path, "param 𝒳[2]\nparam 𝒳[3]\nmap φ = 𝒳\n")
    assert found.code == "GEO0202" and found.related_information
    (related,) = found.related_information
    assert related.location.uri == path.as_uri() and related.location.range.start.line == 0


def test_a_mistake_in_a_used_file_is_told(session: Session, path: Path):
    (path.parent / "layers.geo").write_text("def twice(A) = 2*\n", encoding="utf-8")
    found = session.open(path, TEXT)
    assert any("layers.geo:1" in each.message for each in found)


@pytest.mark.parametrize(
    ("word", "nth", "told"),
    [
        ("θ", 2, "`θ`: a parameter, a 4×3 matrix"),
        ("𝒳", 3, "`𝒳`: a parameter, a 4×3 matrix"),
        ("𝒳θ", 0, "let 𝒳θ = 𝒳.T @ θ"),
        ("𝒳θ", 0, "an expression, a 3×3 matrix"),
        ("ρ", 1, "`ρ` = 3"),
        ("τ", 1, "`τ` = 1/2"),
        ("W", 0, "- `W[2]`: a 3×3 matrix"),
        ("l in", 0, "`l`: the index of the family `W`"),
        ("twice", 0, "def twice(A) = 2*A"),
        ("balance", 0, "`balance`: a law, a 3×3 matrix"),
        ("φ", 0, "`φ`: a 4×4 matrix, a 3×3 matrix"),
        ("linear", 0, "model `linear`: 42 parameters"),
        ("scaled", 0, "a learning rate"),
        ("metric", 0, "how steepness is measured"),
        ("on θ", 0, "all of them without it"),
        ("laws", 0, "exactly so many independent laws"),
    ],
)
def test_hover(session: Session, path: Path, word: str, nth: int, told: str):
    session.open(path, TEXT)
    assert told in (session.hover(path, place(TEXT, word, nth)) or "")


def test_hover_says_nothing_of_comments_and_of_what_is_unknown(session: Session, path: Path):
    session.open(path, TEXT + "law h = unknown\n")
    assert session.hover(path, place(TEXT, "outside")) is None
    assert session.hover(path, (TEXT.count("\n"), 9)) is None


def test_hover_on_functions_and_locals(session: Session, path: Path):
    text = "param x[3]\nmap φ = sum(chain(h = x; k in 1..2: h*x), axis=0)\n"
    session.open(path, text)
    assert "`sum(x, [axis], [keepdims])`" in (session.hover(path, place(text, "sum")) or "")
    assert "state of the chain" in (session.hover(path, place(text, "h*x")) or "")
    assert "an index, 1 to 2" in (session.hover(path, place(text, "k in")) or "")
    assert "replaced for each" in (session.hover(path, place(text, "chain")) or "")


@pytest.mark.parametrize(
    ("line", "there", "absent"),
    [
        ("", ["law", "param", "metric"], ["sum", "θ"]),
        ("law h = ", ["θ", "𝒳θ", "ρ", "twice", "sum"], ["metric", "balance"]),
        ("law h = θ + su", ["sum", "θ"], ["param"]),
        ("metric ", ["mirror", "fisher", "euclidean"], ["sum", "θ"]),
        ("metric mirror(", ["entropy", "log_barrier", "power"], ["θ", "full"]),
        ("metric fisher(", ["full", "blocks", "damping"], ["θ", "entropy"]),
        ("metric scaled(τ) on ", ["θ", "W"], ["τ", "sum"]),
        ("flow ", ["order 2", "adam"], ["θ"]),
        ("flow order 2 ", ["damping"], ["θ", "adam"]),
        ("loss ", ["cross_entropy", "any"], ["θ"]),
        ("expect ", ["complete", "no laws", "depth"], ["θ"]),
        ("expect laws of ", ["θ", "W"], ["ρ"]),
        ("expect laws = ", ["ρ", "n", "when"], ["θ"]),
        ("search ", ["polynomial", "potentials"], ["θ"]),
        ("verify { ", ["loss", "trials"], ["θ"]),
        ("verify { loss ", ["squared", "logistic"], ["trials"]),
        ("param V[", ["n", "ρ"], ["θ", "sum"]),
        ("param V", [], ["θ", "n"]),
        ("let ", [], ["θ", "n"]),
        ('use "', ["layers.geo", "std/layers.geo"], ["linear.geo", "θ"]),
        ("at ", ["zero", "balanced"], ["θ"]),
        ("gates ", ["real", "lifted"], ["θ"]),
        ("sweep ", ["n", "ρ"], ["θ"]),
        ("def f(a, b) = a + ", ["a", "b", "θ"], ["metric"]),
        ("law h = [W[j] for j in 1..2] + ", ["j"], ["metric"]),
        ("law h = θ # th", [], ["θ", "law"]),
    ],
)
def test_completion(session: Session, path: Path, line: str, there: list[str], absent: list[str]):
    session.open(path, TEXT + line)
    column = len(line.encode("utf-16-le")) // 2
    offered = session.complete(path, (TEXT.count("\n"), column))
    assert not [word for word in there if word not in offered], sorted(offered)
    assert not [word for word in absent if word in offered], sorted(offered)


def test_definitions(session: Session, path: Path):
    session.open(path, TEXT)
    found = session.definition(path, place(TEXT, "θ", 4))
    assert found is not None and found.uri == path.as_uri()
    start = place(TEXT, "θ", 0)
    assert (found.range.start.line, found.range.start.character) == start
    used = (path.parent / "layers.geo").as_uri()
    there = session.definition(path, place(TEXT, "twice"))
    assert there is not None and (there.uri, there.range.start) == (used, types.Position(0, 4))
    file = session.definition(path, place(TEXT, "layers"))
    assert file is not None and file.uri == used
    index = session.definition(path, place(TEXT, "1..2"))
    assert index is None


def test_definitions_that_come_with_geoflow(session: Session, path: Path):
    text = 'use "std/layers.geo"\nparam W[2, 2]\ninput x[2]\nnetwork f = linear(W, x)\n'
    assert session.open(path, text) == []
    found = session.definition(path, place(text, "linear"))
    assert found is not None and found.uri.endswith("/geoflow/std/layers.geo")


def test_formatting(session: Session, path: Path):
    ugly = TEXT.replace("let 𝒳θ = 𝒳.T @ θ", "let   𝒳θ=𝒳.T@θ   # θ𝒳")
    session.open(path, ugly)
    edits = session.format(path)
    assert applied(ugly, edits) == format_text(Source("x", ugly))
    session.change(path, format_text(Source("x", ugly)))
    assert session.format(path) == []
    session.change(path, "param x[\n")
    assert session.format(path) == []


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("map φ = 𝒳 @ thetas.T", "map φ = 𝒳 @ theta.T"),
        ("metric euclidian", "metric euclidean"),
        ("parm z", "param z"),
        ("search polynomials(2)", "search polynomial(2)"),
        ("verify { trails 3 }", "verify { trials 3 }"),
        ("verify { loss sqared }", "verify { loss squared }"),
        ("flow adamm(b1 = 1, b2 = 1)", "flow adam(b1 = 1, b2 = 1)"),
        ("metric mirror(entrop) on theta", "metric mirror(entropy) on theta"),
        ("metric fisher(blocks, dampng = 1)", "metric fisher(blocks, damping = 1)"),
        ("law h = summ(𝒳*𝒳)", "law h = sum(𝒳*𝒳)"),
        ('use "std/layer.geo"', 'use "std/layers.geo"'),
        ("law h = 𝒳²", "law h = 𝒳**2"),
    ],
)
def test_quick_fixes(session: Session, path: Path, wrong: str, right: str):
    lines = ["param 𝒳[2, 2], theta[2, 2] > 0", "map psi = 𝒳 @ theta"]
    text = "\n".join([*lines, wrong]) + "\n"
    found = session.open(path, text)
    mended = [each for each in found if each.range.start.line == 2]
    assert mended
    (action,) = session.actions(path, mended[0].range)
    assert action.kind == types.CodeActionKind.QuickFix and action.edit is not None
    (edits,) = (action.edit.changes or {}).values()
    assert applied(text, list(edits)) == "\n".join([*lines, right]) + "\n"
    nowhere = types.Range(types.Position(0, 0), types.Position(0, 1))
    assert session.actions(path, nowhere) == []


def test_outline(session: Session, path: Path):
    session.open(path, TEXT)
    found = session.symbols(path)
    assert [each.name for each in found] == ["n", "ρ", "linear"]
    children = [each.name for each in found[2].children or ()]
    assert children[:4] == ["τ", "θ", "𝒳", "W"]
    assert children[-1].startswith("expect laws of θ")
    start = found[2].children[2].range.start if found[2].children else None
    assert start == types.Position(*place(TEXT, "𝒳[n"))


def test_a_file_that_is_saved_is_read_anew_by_those_that_use_it(session: Session, path: Path):
    layers = path.parent / "layers.geo"
    assert session.open(path, TEXT) == []
    session.open(layers, LAYERS)
    layers.write_text("def thrice(A) = 3*A\n", encoding="utf-8")
    session.change(layers, "def thrice(A) = 3*A\n")
    seen = len(session.told[path.as_uri()])
    session.save(layers)
    session.wait(lambda: session.told[path.as_uri()][seen:])
    found = session.told[path.as_uri()][-1].diagnostics
    assert [each.code for each in found] == ["GEO0207"]


def test_a_text_without_a_file(session: Session):
    item = types.TextDocumentItem("untitled:One", "geo", 1, "param x\nmap φ = y\n")
    session.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    told = session.wait(lambda: session.told["untitled:One"])
    assert [each.code for each in told[-1].diagnostics] == ["GEO0201"]


def test_a_closed_file_has_no_diagnostics(session: Session, path: Path):
    session.open(path, "param x\nmap φ = y\n")
    document = types.TextDocumentIdentifier(path.as_uri())
    session.client.text_document_did_close(types.DidCloseTextDocumentParams(document))
    session.wait(lambda: not session.told[path.as_uri()][-1].diagnostics)


def test_a_long_text(session: Session, path: Path):
    blocks = "".join(
        f"# θ{i}\nparam θ{i}[n], 𝒳{i}[n]\nlaw h{i} = θ{i}**2 - 𝒳{i}**2\n\n" for i in range(500)
    )
    maps = "map φ = [" + ", ".join(f"θ{i}*𝒳{i}" for i in range(500)) + "]\n"
    text = format_text(Source("long", "model long\n\ndim n = 2\n" + blocks + maps))
    assert text.count("\n") >= 2000
    assert session.open(path, text) == []
    wrong = text.replace("𝒳499**2", "𝒳999**2")
    (found,) = session.change(path, wrong)
    assert found.code == "GEO0201"
    assert session.format(path) == []
    assert "a vector of length 2" in (session.hover(path, place(wrong, "θ499", 1)) or "")
