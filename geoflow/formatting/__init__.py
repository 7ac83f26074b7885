"""The canonical layout of a source: one way to write every model, comments kept, meaning unchanged."""

from __future__ import annotations

from geoflow.formatting.file import format_text as format_text
