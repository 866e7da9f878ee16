"""Texts of operators as other formats can hold them."""

from __future__ import annotations

import re

# What XML 1.0 does not know (2.2), and no other format needs. Tabs and line breaks stay.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
# Marks that turn the direction of whatever follows, our own words included.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def writable(text: str) -> str:
    """A text without the characters that cannot be written."""
    return _UNWRITABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str, longest: int | None = None) -> str:
    """A text as one line that disturbs nothing beside it, cut to `longest` characters if need be."""
    line = " ".join(_TURNING.sub("", writable(text)).split())
    return line if longest is None or len(line) <= longest else line[: longest - 1].rstrip() + "…"
