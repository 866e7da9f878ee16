"""What applications of tests share: compiled routes and templates. To compile them is most of what it costs to put an
application together and to have it show a page, and each test has one of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
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


class SharedTemplates(BytecodeCache):
    """The code of the templates that any application of this process has compiled."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template its code, if its text is that of before."""
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template's code."""
        self._code[bucket.key, bucket.checksum] = bucket.code


def compile_once() -> None:
    """Have all applications of this process share them."""
    Flask.url_rule_class = OnceCompiled
    Flask.jinja_options = {"bytecode_cache": SharedTemplates()}
