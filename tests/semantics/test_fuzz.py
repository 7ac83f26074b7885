"""Whatever the text, the front end answers with a model or says where and why there is none."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from geoflow.codes import CODES
from geoflow.semantics import load_text

from .samples import DEEP, LINEAR, MOMENTUM, NETWORK, NMF, TRAINED, UNICYCLE

SAMPLES = (LINEAR, MOMENTUM, NMF, DEEP, TRAINED, UNICYCLE, NETWORK)
TOKENS = re.findall(r"\w+|\s+|.", "".join(SAMPLES))
texts = st.lists(st.sampled_from(sorted(set(TOKENS))), max_size=40).map("".join)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A model with a few tokens deleted, replaced or doubled."""
    tokens = re.findall(r"\w+|\s+|.", draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(tokens) - 1))
        tokens[at] = draw(st.sampled_from(["", tokens[at] * 2, *TOKENS[:60], "^", "é", '"', "0"]))
    return "".join(tokens)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    st.one_of(
        damaged(),
        texts,
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60),
    )
)
def test_every_text_is_answered(text: str):
    models, diagnostics = load_text(text)
    assert bool(models) != bool(diagnostics)
    for diagnostic in diagnostics:
        assert diagnostic.code in CODES
        assert diagnostic.message.strip()
        assert diagnostic.span is not None
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(text)
