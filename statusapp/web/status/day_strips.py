"""The last days of a service as an SVG of bars, drawn from a text with a letter a day."""

from __future__ import annotations

from functools import lru_cache

from statusapp.domain.day_bars import LETTERS

WIDTH, GAP, HEIGHT = 6, 2, 28
_WORDS = {letter: status.word for status, letter in LETTERS.items()}


def strip_view(letters: str) -> str:
    """The viewBox of a strip."""
    return f"0 0 {max(len(letters) * (WIDTH + GAP) - GAP, 1)} {HEIGHT}"


@lru_cache(maxsize=4096)
def strip_paths(letters: str) -> tuple[tuple[str, str], ...]:
    """The word of each status that occurs, and the outline of all its bars, as static/day-strips.js draws them too."""
    outlines: dict[str, list[str]] = {}
    for place, letter in enumerate(letters):
        outlines.setdefault(letter, []).append(f"M{place * (WIDTH + GAP)} 0h{WIDTH}v{HEIGHT}h-{WIDTH}z")
    return tuple((_WORDS[letter], "".join(parts)) for letter, parts in outlines.items())
