"""What of a channel's waiting messages goes out, what nobody has to be told any more, and when to try again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from statusapp.domain.enums import Severity, Transition
from statusapp.domain.instants import SECOND

FIRST_BACKOFF_S = 10
LONGEST_BACKOFF_S = 600
LONGEST_RETRY_AFTER_S = 3600
JITTER = 0.2
GIVE_UP_US = 24 * 3600 * SECOND
MOST_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits. `batch` is that of an attempt to send it, which is made again as it was."""

    id: int
    alert_id: int | None
    transition: Transition
    severity: Severity
    created_at: int
    batch: str | None


def no_longer_news(waiting: Iterable[Waiting], is_quiet: Callable[[int], bool]) -> set[int]:
    """The messages about alerts that began and ended for good while their channel was to be left alone. By id.

    Args:
        waiting: in the order of their ids.
    """
    by_alert: dict[int, list[Waiting]] = defaultdict(list)
    for one in waiting:
        if one.alert_id is not None:
            by_alert[one.alert_id].append(one)
    skipped: set[int] = set()
    for group in by_alert.values():
        held = all(
            one.batch is None and one.severity is not Severity.CRITICAL and is_quiet(one.created_at) for one in group
        )
        moves = [one.transition for one in group if one.transition is not Transition.REMINDED]
        # What came back after its end, as FLAPPING, goes on.
        if held and Transition.FIRED in moves and moves[-1] is Transition.RESOLVED:
            skipped |= {one.id for one in group}
    return skipped


def next_parcel(waiting: Sequence[Waiting], is_quiet_now: bool) -> list[Waiting]:
    """What goes out as the next message, in the order of the ids.

    An attempt whose end is not known is made again just as it was, so that the receiver can tell that it is the same;
    else all go that may.
    """
    batches = dict.fromkeys(one.batch for one in waiting if one.batch is not None)
    for batch in batches:
        members = [one for one in waiting if one.batch == batch]
        if not is_quiet_now or any(one.severity is Severity.CRITICAL for one in members):
            return members
    fresh = [one for one in waiting if one.batch is None]
    return [one for one in fresh if not is_quiet_now or one.severity is Severity.CRITICAL][:MOST_AT_ONCE]


def backoff_us(failures: int, luck: float, retry_after: float | None = None) -> int:
    """How long to wait after so many failures in a row.

    Args:
        failures: from 1 on.
        luck: from 0 to 1; it spreads channels that failed together.
        retry_after: the seconds that the receiver asked for.
    """
    if retry_after is not None and retry_after > 0:
        return round(min(retry_after, LONGEST_RETRY_AFTER_S) * SECOND)
    seconds = min(float(FIRST_BACKOFF_S << min(max(failures, 1) - 1, 10)), LONGEST_BACKOFF_S)
    spread = 1 - JITTER + 2 * JITTER * luck
    return round(min(seconds * spread, LONGEST_BACKOFF_S) * SECOND)
