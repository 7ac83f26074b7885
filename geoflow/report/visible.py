"""Text that is safe to send to a terminal, and how wide it is there.

A model file is anybody's text. Control characters could move the cursor or recolour the screen, and
invisible formatting characters could make a line read otherwise than it is (the "Trojan Source"
attack), so each is written as an escape. Where the terminal has no Unicode, mathematics is spelled
out: `φ` is `phi`, `R⁴ˣ⁵` is `R^(4x5)`.
"""

from __future__ import annotations

import re
import unicodedata

from rich.cells import cell_len

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀˣⁿᵐʳᵈ", "0123456789+-Txnmrd")
_SUPERSCRIPT_RUN = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀˣⁿᵐʳᵈ]+")
_SPELLED = str.maketrans(
    {
        "→": "->",
        "←": "<-",
        "⇒": "=>",
        "×": "x",
        "·": "*",
        "⊙": "*",
        "−": "-",
        "–": "-",
        "—": "-",
        "≤": "<=",
        "≥": ">=",
        "≠": "!=",
        "≡": "==",
        "≈": "~=",
        "∈": "in",
        "∂": "d",
        "∇": "grad ",
        "Σ": "sum",
        "√": "sqrt",
        "…": "...",
        "✓": "+",
        "✗": "x",
        "│": "|",
        "∘": "o",
        "⟨": "<",
        "⟩": ">",
        "‖": "|",
        "∞": "inf",
        "ᵢ": "_i",
        "ⱼ": "_j",
        "ₐ": "_a",
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
    }
)


def visible(text: str, ascii_only: bool = False) -> str:
    """`text` with each control, formatting and unpaired surrogate character as an escape."""
    if text.isascii() and text.isprintable():
        return text
    if ascii_only and not text.isascii():
        text = _SUPERSCRIPT_RUN.sub(_caret, text).translate(_SPELLED)
    return "".join(_shown(character, ascii_only) for character in text)


def cell(text: str) -> str:
    """A text as a cell of CSV: what a spreadsheet would take for a formula stands behind an apostrophe."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def width(text: str) -> int:
    """The number of terminal cells of a text that is already visible."""
    return cell_len(text)


def _caret(run: re.Match[str]) -> str:
    plain = run.group().translate(_SUPERSCRIPTS)
    return f"^{plain}" if len(plain) == 1 else f"^({plain})"


def _shown(character: str, ascii_only: bool) -> str:
    if character == " " or (character.isascii() and character.isprintable()):
        return character
    if unicodedata.category(character) in _HIDDEN:
        return _escape(character)
    return _spelled(character) if ascii_only else character


def _spelled(character: str) -> str:
    name = unicodedata.name(character, "")
    if name.startswith("GREEK ") and " LETTER " in name:
        letter = name.rpartition(" ")[2].lower()
        return letter if "SMALL" in name else letter.capitalize()
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return plain if plain.isprintable() and plain else _escape(character)


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
