"""Every public address of the application, from its own map of routes and the guards that are declared for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import product
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import AnyConverter, Rule
from werkzeug.test import TestResponse

from statusapp.web import guards

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PROGRAM = {"Accept": "application/json"}
# What else an address can be asked for with.
QUERIES = {
    "status.service": ("span=90d",),
    "status.history": ("month=2001-01",),
    "machine.badge": ("span=90d",),
}
USUAL = {"filename": ["style.css"], "secret": ["nonsense"], "exit_code": [3], "token": ["nonsense"]}


def public_paths(app: Flask, planted: dict[str, Collection[Any]]) -> Iterator[str]:
    """The addresses of all public routes that can be read, for all values of their arguments.

    Args:
        app: the application.
        planted: the values of each argument that a route may have, beside the `USUAL` ones.
    """
    known = USUAL | planted
    for rule in app.url_map.iter_rules():
        if guards.guard_of(app, rule.endpoint) is not guards.public or "GET" not in (rule.methods or ()):
            continue
        missing = {name for name in rule.arguments if name not in known and not _choices(rule, name)}
        assert not missing, f"say in `planted` or `USUAL` what {rule.rule} may be asked for: {missing}"
        names = sorted(rule.arguments)
        for values in product(*(_choices(rule, name) or known[name] for name in names)):
            built = rule.build(dict(zip(names, values, strict=True)), append_unknown=False)
            assert built is not None
            yield built[1]
            yield from (f"{built[1]}?{query}" for query in QUERIES.get(rule.endpoint, ()))


def read_all(
    client: FlaskClient, planted: dict[str, Collection[Any]], *readers: dict[str, str]
) -> Iterator[tuple[str, TestResponse]]:
    """Each of them with its answer to each kind of reader."""
    for path in public_paths(client.application, planted):
        for headers in readers:
            yield path, client.get(path, headers=headers)


def _choices(rule: Rule, name: str) -> list[str]:
    converter = rule._converters[name]
    return sorted(converter.items) if isinstance(converter, AnyConverter) else []
