"""Column types: aware UTC datetimes and enums as small integers, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, SmallInteger
from sqlalchemy.types import TypeDecorator

# A surrogate key: SQLite numbers rows by itself only in a column of type INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Takes only aware datetimes and gives back aware UTC ones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store as UTC; SQLite has no zones, so there the zone is left off after the conversion."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class EnumCode(TypeDecorator[Any]):
    """A member of an `IntEnum`, stored as its number."""

    impl = SmallInteger
    cache_ok = True

    def __init__(self, enum: type[IntEnum]) -> None:
        super().__init__()
        self.enum = enum
        # Asking the enum itself takes four times as long, and a list of a thousand services has several thousand.
        self._members = {int(member): member for member in enum}

    def process_bind_param(self, value: IntEnum | None, dialect: Dialect) -> int | None:
        """Store the number."""
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> IntEnum | None:
        """Give back the member."""
        if value is None:
            return None
        member = self._members.get(value)
        return self.enum(value) if member is None else member
