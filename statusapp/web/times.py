"""Moments as people read them in one time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Times:
    """Words for aware datetimes, told in `zone`."""

    zone: ZoneInfo

    @property
    def name(self) -> str:
        """The zone's IANA name."""
        return self.zone.key

    def exact(self, moment: datetime) -> str:
        """The full time, to the second."""
        local = moment.astimezone(self.zone)
        return f"{local:%-d %B %Y, %H:%M:%S} {self._offset(local)}"

    def to_minute(self, moment: datetime) -> str:
        """Day and minute, for tables."""
        return f"{moment.astimezone(self.zone):%-d %b, %H:%M}"

    def to_second(self, moment: datetime) -> str:
        """Day and second, for tables."""
        return f"{moment.astimezone(self.zone):%-d %b, %H:%M:%S}"

    def day(self, moment: date) -> str:
        """The day; of an instant, that of the zone."""
        local = moment.astimezone(self.zone) if isinstance(moment, datetime) else moment
        return f"{local:%-d %B}"

    def span(self, start: datetime, end: datetime) -> str:
        """From when to when, with the day once where it is the same."""
        first, last = start.astimezone(self.zone), end.astimezone(self.zone)
        until = f"{last:%H:%M}" if first.date() == last.date() else f"{self.day(last)}, {last:%H:%M}"
        return f"{self.day(first)}, {first:%H:%M} – {until} {self._offset(last)}"

    @staticmethod
    def _offset(local: datetime) -> str:
        """The short name of the zone's time then; where it has none, what it is ahead of UTC."""
        name = f"{local:%Z}"
        return f"UTC{name}" if name[:1] in "+-" else name
