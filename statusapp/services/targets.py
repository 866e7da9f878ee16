"""Targets: what is stored of an endpoint becomes what its probe needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Row

from statusapp.domain.conditions import Condition, InvalidCondition, parse_condition
from statusapp.domain.options import InvalidOption, read_options, secret_texts
from statusapp.domain.values import Expectations, HeartbeatFacts, Target
from statusapp.domain.web_addresses import secrets_in
from statusapp.probes.kind import Kind
from statusapp.probes.kinds import HTTP, kind_of
from statusapp.services.vault import Vault, WrongKey

# The name under which the whole address is kept among the secrets, when some of it is one.
WHOLE_URL = "url"
# And that of the secret in the address that a heartbeat's job calls.
PING_TOKEN = "ping_token"  # noqa: S105  (a name)


def read_target(row: Row[Any], vault: Vault, facts: HeartbeatFacts | None = None) -> Target:
    """The target of a row of `service_endpoint`. What is wrong with it becomes its `problem`."""
    try:
        return _read(row, vault, facts)
    except (WrongKey, InvalidOption, InvalidCondition, ValueError, TypeError) as error:
        return Target(row.url, row.timeout_ms, problem=str(error))


def _read(row: Row[Any], vault: Vault, facts: HeartbeatFacts | None) -> Target:
    secrets = _opened(vault, row.secrets) if row.secrets else {}
    url = secrets.get(WHOLE_URL, row.url)
    options, texts = _options(kind_of(url), row.options, vault, row.secrets)
    slow_us = None if row.slow_ms is None else row.slow_ms * 1000
    return Target(
        url,
        row.timeout_ms,
        row.method,
        _expectations(row.expected_status_codes, row.conditions, slow_us),
        options,
        texts,
        facts=facts,
    )


@lru_cache(maxsize=4096)
def _opened(vault: Vault, sealed: str) -> Mapping[str, Any]:
    return vault.open(sealed)


@lru_cache(maxsize=4096)
def _options(kind: Kind, text: str, vault: Vault, sealed: str | None) -> tuple[Any, tuple[str, ...]]:
    """The options object, and every text that must not be told. None stands for HTTP without any options."""
    secrets = dict(_opened(vault, sealed)) if sealed else {}
    whole = secrets.pop(WHOLE_URL, None)
    secrets.pop(PING_TOKEN, None)
    texts = secrets_in(whole) if whole else ()
    values = {**json.loads(text), **secrets}
    if kind is HTTP and not values:
        return None, texts
    return read_options(kind.options, values), texts + secret_texts(kind.options, values)


@lru_cache(maxsize=4096)
def _expectations(status_codes: str, conditions: str, slow_us: int | None) -> Expectations:
    return Expectations(status_codes, read_conditions(conditions), slow_us)


def read_conditions(text: str) -> tuple[tuple[Condition, bool], ...]:
    """The conditions in a column."""
    if text == "[]":
        return ()
    return tuple((parse_condition(condition), bool(degrades)) for condition, degrades in json.loads(text))
