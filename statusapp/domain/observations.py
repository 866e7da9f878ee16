"""What conditions are held against: the facts that one probe has seen, and the verdict on each condition."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from statusapp.domain.conditions import Choice, Condition, Duration, Expectation, Pattern, Subject, compile_pattern

SHOWN_LENGTH = 100


class _Missing:
    """What a subject is that is not there."""

    def __repr__(self) -> str:
        return "not there"


MISSING = _Missing()


@dataclass(slots=True)
class Observation:
    """The facts. Only those that conditions ask for need be there. `headers` has lower-case names."""

    status_code: int | None = None
    total_us: int = 0
    peer: str | None = None
    connected: bool = False
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    certificate_expires_in_ms: float | None = None
    dns_rcode: str | None = None
    _parsed: tuple[str, Any] | tuple[None, None] = (None, None)

    def value(self, subject: Subject) -> Any:
        """What `subject` is here; `MISSING` when it is not there."""
        value = self._walk(subject)
        if subject.function == "has":
            return value is not MISSING
        if subject.function == "len":
            if subject.placeholder == "BODY" and not subject.path and isinstance(self._parsed[1], list | dict):
                value = self._parsed[1]
            return len(value) if isinstance(value, str | list | dict) else MISSING
        return value

    def _walk(self, subject: Subject) -> Any:
        if subject.placeholder == "BODY":
            return self._body(subject.path)
        if subject.placeholder == "HEADER":
            return self.headers.get(str(subject.path[0]).lower(), MISSING)
        value = {
            "STATUS": self.status_code,
            "RESPONSE_TIME": self.total_us / 1000,
            "IP": self.peer,
            "CERTIFICATE_EXPIRATION": self.certificate_expires_in_ms,
            "CONNECTED": self.connected,
            "DNS_RCODE": self.dns_rcode,
        }[subject.placeholder]
        return MISSING if value is None else value

    def _body(self, path: tuple[str | int, ...]) -> Any:
        if self.body is None:
            return MISSING
        if self._parsed[0] is None:
            text = self.body.decode("utf-8", "replace")
            try:
                self._parsed = (text, json.loads(text))
            except (ValueError, RecursionError):
                self._parsed = (text, MISSING)
        text, value = self._parsed
        if not path:
            return text
        for step in path:
            value = _step(value, step)
        return value


@dataclass(frozen=True, slots=True)
class Verdict:
    """One condition with the value that was found."""

    condition: str
    passed: bool
    found: str
    degrades: bool = False


def judge(conditions: Iterable[tuple[Condition, bool]], observation: Observation) -> list[Verdict]:
    """The verdict on each condition. The second of each pair says that it degrades instead of fails."""
    verdicts = []
    for condition, degrades in conditions:
        value = observation.value(condition.subject)
        passed = value is not MISSING and _holds(value, condition.operator, condition.expected)
        verdicts.append(Verdict(str(condition), passed, _shown(condition.subject, value), degrades))
    return verdicts


def _step(value: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return value[step] if isinstance(value, list) and step < len(value) else MISSING
    return value.get(step, MISSING) if isinstance(value, dict) else MISSING


def _holds(value: Any, operator: str, expected: Expectation) -> bool:
    if operator == "==":
        return _equals(value, expected)
    if operator == "!=":
        return not _equals(value, expected)
    number = _number(value)
    limit = expected.milliseconds if isinstance(expected, Duration) else expected
    if number is None or not isinstance(limit, int | float):
        return False
    return {"<": number < limit, "<=": number <= limit, ">": number > limit, ">=": number >= limit}[operator]


def _equals(value: Any, expected: Expectation) -> bool:
    if isinstance(expected, Choice):
        return any(_equals(value, option) for option in expected.options)
    if isinstance(expected, Pattern):
        return compile_pattern(expected).search(_text(value)) is not None
    if isinstance(expected, Duration):
        return _number(value) == expected.milliseconds
    if expected is None or isinstance(expected, bool):
        return value is expected or (isinstance(value, str) and _text(expected) == value)
    if isinstance(expected, int | float):
        return _number(value) == expected
    return _text(value) == expected


def _number(value: Any) -> float | int | None:
    """A number, or a text that is one; headers are always texts."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    try:
        return float(value) if isinstance(value, str) and len(value) <= SHOWN_LENGTH else None
    except ValueError:
        return None


def _text(value: Any) -> str:
    """A value as patterns and texts see it. Lone surrogates, which JSON can spell, are replaced: RE2 takes none."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode("utf-8")


def _shown(subject: Subject, value: Any) -> str:
    if value is MISSING:
        return "not there"
    if subject.function is None and subject.placeholder == "CERTIFICATE_EXPIRATION":
        return f"{value / 3_600_000:.1f}h"
    if subject.function is None and subject.placeholder == "RESPONSE_TIME":
        return f"{value:.1f}ms"
    text = _text(value)
    return text if len(text) <= SHOWN_LENGTH else text[: SHOWN_LENGTH - 1] + "…"
