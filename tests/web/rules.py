"""Routes that are compiled once: most of what it costs to put an application together, and each test has its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]


class OnceCompiled(Rule):
    """A rule whose address builders are those of the first rule of the same text; they get the rule as an argument."""

    _builders: dict[Any, Builder] = {}  # noqa: RUF012 (shared on purpose)

    def _compile_builder(self, append_unknown: bool = True) -> Builder:
        key = (tuple(self._trace), repr(self.defaults), append_unknown)
        if key not in self._builders:
            self._builders[key] = super()._compile_builder(append_unknown)
        return self._builders[key]


def compile_routes_once() -> None:
    """Have all applications of this process use such rules."""
    Flask.url_rule_class = OnceCompiled
