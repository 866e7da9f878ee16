"""Where a browser may be sent when something is done: to a path of this site and nowhere else."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request


def is_own_path(target: str) -> bool:
    """Whether a browser reads `target` as a path here.

    Browsers take "//host" and "/\\\\host" for another host, and skip control characters before they look.
    """
    if not target.startswith("/") or target[1:2] in ("/", "\\"):
        return False
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in target):
        return False
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc


def way_back(usual: str) -> str:
    """The page that a form was on, as its field `back` says, or where it usually leads."""
    target = request.form.get("back", "")
    return target if is_own_path(target) else usual
