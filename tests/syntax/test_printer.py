"""parse ∘ print = identity, on trees and on texts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from geoflow.diagnostics import Source
from geoflow.syntax import printer, tree
from geoflow.syntax.parser import parse, parse_expression

from . import trees


@settings(max_examples=300, deadline=None, derandomize=True)
@given(trees.files)
def test_parsing_the_printed_tree_gives_the_tree(file: tree.File):
    text = printer.text(file)
    parsed, diagnostics = parse(Source("printed", text))
    assert not diagnostics, (text, diagnostics)
    assert parsed == file, text


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("U.T@U-V.T@V", "U.T @ U - V.T @ V"),
        ("r * (r+1) / 2", "r*(r + 1)/2"),
        ("((a))", "a"),
        ("a - (b - c)", "a - (b - c)"),
        ("(a - b) - c", "a - b - c"),
        ("(a*b)@c", "a * b @ c"),
        ("a*(b@c)", "a*(b @ c)"),
        ("(-a)**2", "(-a)**2"),
        ("-a**2", "-a**2"),
        ("(a**b)**c", "(a**b)**c"),
        ("a**(b**c)", "a**b**c"),
        ("a**-1", "a**-1"),
        ("(a + b).T'", "(a + b).T'"),
        ("-(a*b)", "-(a*b)"),
        ("-a*b", "-a*b"),
        ("sum( U,axis = 0 )", "sum(U, axis=0)"),
        ("x[ 1: ,:, ::2 ]", "x[1:, :, ::2]"),
        ("[W[l]@h for l in 1 .. L]", "[W[l] @ h for l in 1..L]"),
        ("chain(h=x;l in 1..3:W[l]@h)", "chain(h = x; l in 1..3: W[l] @ h)"),
        ("(1,)", "(1,)"),
    ],
)
def test_canonical_text(written: str, printed: str):
    assert printer.text(parse_expression(Source("", written))) == printed
    assert printer.text(parse_expression(Source("", printed))) == printed


def test_a_long_chain_is_printed_without_recursion():
    text = " + ".join(["a"] * 900)
    assert printer.text(parse_expression(Source("", text))) == text
