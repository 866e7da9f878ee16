"""The last days of a service as an SVG of bars, drawn from a text with a letter a day."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flask import current_app
from markupsafe import Markup

from statusapp.domain.day_bars import LETTERS

WIDTH, GAP, HEIGHT = 6, 2, 28
_WORDS = {letter: status.word for status, letter in LETTERS.items()}


def strip(service: Mapping[str, Any], last_day: str) -> Markup:
    """The bars of a service of the page's data, and what they are together."""
    notes = json.dumps(service["bar_notes"], separators=(",", ":"))
    return _strip(service["name"], service["bars"], notes, service["uptime_history_text"], last_day)


@lru_cache(maxsize=2048)
def _strip(name: str, bars: str, notes: str, uptime: str, last_day: str) -> Markup:
    # A day lasts long, and drawing ninety bars does too.
    drawing = {"view": strip_view(bars), "paths": strip_paths(bars)}
    template = current_app.jinja_env.get_template("status/_strip.html")
    html = template.render(name=name, bars=bars, notes=notes, uptime=uptime, last_day=last_day, **drawing)
    return Markup(html)  # noqa: S704 - the template has escaped everything


def strip_view(letters: str) -> str:
    """The viewBox of a strip."""
    return f"0 0 {max(len(letters) * (WIDTH + GAP) - GAP, 1)} {HEIGHT}"


def strip_paths(letters: str) -> tuple[tuple[str, str], ...]:
    """The word of each status that occurs, and the outline of all its bars, as static/day-strips.js draws them too."""
    outlines: dict[str, list[str]] = {}
    for place, letter in enumerate(letters):
        outlines.setdefault(letter, []).append(f"M{place * (WIDTH + GAP)} 0h{WIDTH}v{HEIGHT}h-{WIDTH}z")
    return tuple((_WORDS[letter], "".join(parts)) for letter, parts in outlines.items())
