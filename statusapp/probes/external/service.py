"""What a service that others run for us is to the rest of the product: some options, and calls that ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from statusapp.domain.enums import ExternalStatus

# From here on an answer is called slow, and whatever has not answered by then is given up. In seconds.
SLOW_S = 5.0
DEADLINE_S = 10.0
LONGEST_MESSAGE = 300
NO_TLS = "no secure connection: its certificate or its TLS is not accepted"

# What kinds of errors mean, the first that fits: the classes, and the status and the words for them.
Meanings = Sequence[tuple[type[BaseException] | tuple[type[BaseException], ...], ExternalStatus, str]]


@dataclass(frozen=True, slots=True)
class ExternalResult:
    """How a service was found. `duration_us` is None where it did not answer; the message never holds a secret."""

    status: ExternalStatus
    message: str
    duration_us: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One service to ask, under the name that it is shown by."""

    name: str
    ask: Callable[[], ExternalResult]


@dataclass(frozen=True, slots=True)
class Service:
    """A kind of service.

    Attributes:
        options: the names of the settings that it needs, in lower case; no others are handed to it.
        targets: what there is to ask according to their values; nothing while it is not configured.
    """

    options: tuple[str, ...]
    targets: Callable[[Mapping[str, Any]], list[Target]]


def answered(message: str, duration_us: int) -> ExternalResult:
    """The result of an answer that is good, be it late."""
    if duration_us > SLOW_S * 1e6:
        return ExternalResult(ExternalStatus.DEGRADED, f"{message} after {duration_us / 1e6:.1f} s", duration_us)
    return ExternalResult(ExternalStatus.OK, message, duration_us)


def shortened(text: str) -> str:
    """Text of somebody else's as one line of a message, of 200 characters at most."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())[:200]


def explained(error: Exception, meanings: Meanings) -> ExternalResult:
    """What went wrong, in our own words: the libraries' would repeat addresses, and what stands in them."""
    causes = list(_causes(error))
    for kinds, status, words in meanings:
        if any(isinstance(cause, kinds) for cause in causes):
            return ExternalResult(status, words)
    return ExternalResult(ExternalStatus.UNKNOWN, f"it could not be asked ({type(error).__name__})")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The errors that an error was made of, the outermost first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
