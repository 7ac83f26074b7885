"""Tree to model: names resolved, sizes known, shapes checked, all mistakes of a file collected."""

from __future__ import annotations

from geoflow.semantics.reading import load as load
from geoflow.semantics.reading import load_input as load_input
from geoflow.semantics.reading import load_text as load_text
from geoflow.semantics.reading import survey as survey
