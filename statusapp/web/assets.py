"""Addresses of static files that change with their content, so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, current_app, url_for


def init_app(app: Flask) -> None:
    """Give templates `static_url`."""
    app.add_template_global(static_url)


def static_url(name: str) -> str:
    """The address of a static file with a hash of its content."""
    return url_for("static", filename=name, v=_content_hash(str(current_app.static_folder), name))


def is_current(name: str, version: str) -> bool:
    """Whether `version` is the hash of the file as it is here; during an update it may be that of another one."""
    return version == _content_hash(str(current_app.static_folder), name)


@lru_cache(maxsize=256)
def _content_hash(folder: str, name: str) -> str:
    return hashlib.sha256(Path(folder, name).read_bytes()).hexdigest()[:16]
