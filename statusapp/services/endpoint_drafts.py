"""What an operator says about an endpoint, and the check that it can be saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from statusapp.domain.conditions import InvalidCondition, parse_condition
from statusapp.domain.options import InvalidOption, read_options
from statusapp.domain.status_codes import parse_status_codes
from statusapp.domain.web_addresses import HEARTBEAT
from statusapp.probes.http_options import METHOD
from statusapp.probes.kind import Kind
from statusapp.probes.kinds import kind_of

# How often a heartbeat's pings are looked at, when nothing else is said.
HEARTBEAT_LOOK_S = 60
MAX_CONDITIONS = 50
MAX_DESCRIPTION = 2000


class InvalidEndpoint(ValueError):
    """An endpoint cannot be saved as it is; the message says what is wrong and what would be right.

    `field` is the one of `EndpointDraft` that is at fault, or `degrading` for a condition that only degrades; for
    `options` the `option` is that of the kind, where one alone is at fault.
    """

    def __init__(self, message: str, field: str = "name", option: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.option = option


@dataclass(frozen=True, slots=True)
class EndpointDraft:
    """What an operator says about an endpoint. Intervals are whole seconds, the timeout milliseconds.

    `options` are those of the kind that the address stands for. Each condition is a text and whether it degrades the
    service instead of failing it. `group` and `depends_on` are names; a group that is not there is made.
    """

    name: str
    url: str
    method: str = "GET"
    expected_status_codes: str = "200-299"
    interval_s: int = 300
    timeout_ms: int = 10_000
    retries: int = 2
    successes_to_confirm: int = 2
    description: str = ""
    position: int = 0
    is_public: bool = True
    slow_ms: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    conditions: tuple[tuple[str, bool], ...] = ()
    group: str | None = None
    tags: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    shows_url: bool = False

    @property
    def is_heartbeat(self) -> bool:
        """Whether pings are awaited instead of something being asked."""
        return self.url == HEARTBEAT

    def validated(self) -> EndpointDraft:
        """This draft, when it can be saved, with its conditions in their own form.

        Raises:
            InvalidEndpoint: when it cannot.
        """
        for problem in self.problems():
            raise problem
        draft = replace(self, conditions=_checked_conditions(self.conditions, kind_of(self.url)))
        # Whether a ping is late is no matter of chance: one look decides.
        return replace(draft, retries=0, successes_to_confirm=1) if self.is_heartbeat else draft

    def problems(self) -> list[InvalidEndpoint]:
        """All that is wrong with it, at most one for each thing that is looked at."""
        checks = [self._check_name, self._check_address, self._check_expectations, self._check_interval]
        checks += [self._check_timeout, self._check_retries, self._check_slow, self._check_tags]
        if _kind_or_none(self.url) is not None:
            checks += [self._check_options, self._check_conditions]
        found = []
        for check in checks:
            try:
                check()
            except InvalidEndpoint as problem:
                found.append(problem)
        return found

    def _check_name(self) -> None:
        if not self.name.strip() or len(self.name) > 200:
            raise InvalidEndpoint("The name must have 1 to 200 characters.", "name")
        if len(self.description) > MAX_DESCRIPTION:
            raise InvalidEndpoint(f"The description must have at most {MAX_DESCRIPTION} characters.", "description")
        if self.group is not None and len(self.group) > 200:
            raise InvalidEndpoint("The name of a group must have at most 200 characters.", "group")

    def _check_address(self) -> None:
        try:
            kind = kind_of(self.url)
            if any(character.isspace() or ord(character) < 32 for character in self.url):
                raise ValueError("it holds a space or a control character")
            _ = urlsplit(self.url).port
            kind.check_address(self.url)
        except ValueError as error:
            example = next((kind.example for kind in [_kind_or_none(self.url)] if kind), "https://example.org/")
            raise InvalidEndpoint(
                f"{self.url!r} is not an address that can be checked: {error}; write for example {example}", "url"
            ) from error

    def _check_expectations(self) -> None:
        if not METHOD.fullmatch(self.method):
            raise InvalidEndpoint(
                f"{self.method!r} is not an HTTP method; use for example GET, HEAD or POST.", "method"
            )
        try:
            parse_status_codes(self.expected_status_codes)
        except ValueError as error:
            raise InvalidEndpoint(f"Expected status codes: {error}.", "expected_status_codes") from error
        if len(self.expected_status_codes) > 200:
            raise InvalidEndpoint("The list of codes must have at most 200 characters.", "expected_status_codes")

    def _check_interval(self) -> None:
        if not 5 <= self.interval_s <= 86_400:
            raise InvalidEndpoint("The interval must be 5 seconds to 1 day.", "interval_s")

    def _check_timeout(self) -> None:
        if not 100 <= self.timeout_ms < self.interval_s * 1000:
            raise InvalidEndpoint(
                f"The timeout must be at least 0.1 seconds and shorter than the interval of {self.interval_s} seconds.",
                "timeout_ms",
            )

    def _check_retries(self) -> None:
        if not 0 <= self.retries <= 10 or not 1 <= self.successes_to_confirm <= 10:
            raise InvalidEndpoint(
                "There may be 0 to 10 retries, and 1 to 10 successes that confirm a recovery.",
                "retries" if not 0 <= self.retries <= 10 else "successes_to_confirm",
            )

    def _check_slow(self) -> None:
        if self.slow_ms is not None and not 1 <= self.slow_ms < self.timeout_ms:
            raise InvalidEndpoint(
                "The slow threshold must be at least 1 millisecond and shorter than the timeout.", "slow_ms"
            )

    def _check_tags(self) -> None:
        if any(not 1 <= len(tag) <= 50 for tag in self.tags):
            raise InvalidEndpoint("A tag must have 1 to 50 characters.", "tags")

    def _check_options(self) -> None:
        try:
            read_options(kind_of(self.url).options, self.options)
        except InvalidOption as error:
            raise InvalidEndpoint(f"Options: {error}.", "options", error.option) from error

    def _check_conditions(self) -> None:
        _checked_conditions(self.conditions, kind_of(self.url))


def _checked_conditions(conditions: tuple[tuple[str, bool], ...], kind: Kind) -> tuple[tuple[str, bool], ...]:
    if len(conditions) > MAX_CONDITIONS:
        raise InvalidEndpoint(f"There may be {MAX_CONDITIONS} conditions at most.", "conditions")
    checked = []
    for text, degrades in conditions:
        field = "degrading" if degrades else "conditions"
        try:
            condition = parse_condition(text)
        except InvalidCondition as error:
            raise InvalidEndpoint(f"Condition: {error}.", field) from error
        allowed = (*kind.placeholders, "RESPONSE_TIME")
        if condition.subject.placeholder not in allowed:
            known = ", ".join(f"[{name}]" for name in allowed)
            raise InvalidEndpoint(f"Condition: a check of {kind.label} has only {known}.", field)
        checked.append((str(condition), degrades))
    return tuple(checked)


def _kind_or_none(url: str) -> Kind | None:
    try:
        return kind_of(url)
    except ValueError:
        return None
