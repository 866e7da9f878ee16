"""The kinds of values that the API takes and gives, and the schemas that say what they do not know."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import IntEnum
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from statusapp.domain.instants import from_us
from statusapp.domain.series_cuts import LENGTH_PATTERN, parse_length
from statusapp.web.wording import iso

SMALLEST, LARGEST = -(2**31), 2**31 - 1
FIRST_YEAR, LAST_YEAR = 2000, 2999
LONGEST_TEXT = 20_000
# A plus sign that was not escaped in an address has become a space.
_LOST_PLUS = re.compile(r" (?=\d\d:?\d\d$)")


class Instant(fields.AwareDateTime):
    """An instant as ISO 8601 with its offset. Given out in UTC; inside a datetime or microseconds."""

    default_error_messages = {  # noqa: RUF012 (marshmallow's own way)
        "invalid": "Write an instant with its offset, such as 2026-11-24T10:00:00Z.",
        "invalid_awareness": "Write an instant with its offset, such as 2026-11-24T10:00:00Z.",
        "range": f"Choose an instant of the years {FIRST_YEAR} to {LAST_YEAR}.",
    }

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return iso(from_us(value) if isinstance(value, int) else value)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        text = _LOST_PLUS.sub("+", value) if isinstance(value, str) else value
        try:
            moment: datetime = super()._deserialize(text, attr, data, **kwargs)
        except OverflowError:
            raise self.make_error("invalid") from None
        if not FIRST_YEAR < moment.year < LAST_YEAR:
            raise self.make_error("range")
        return moment


class Word(fields.String):
    """A member of a closed set, by its word."""

    def __init__(self, enum: type[IntEnum], **kwargs: Any) -> None:
        self._members = {member.name.lower(): member for member in enum}
        kwargs.setdefault("metadata", {})["enum"] = [*self._members, *([None] if kwargs.get("allow_none") else [])]
        super().__init__(**kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value.name.lower())

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        member = self._members.get(value) if isinstance(value, str) else None
        if member is None:
            raise ValidationError(f"Choose one of {', '.join(self._members)}.")
        return member


class Text(fields.String):
    """A text that every database can store."""

    def __init__(self, longest: int = LONGEST_TEXT, shortest: int = 0, **kwargs: Any) -> None:
        rules: list[Callable[[Any], Any]] = [validate.Length(shortest or None, longest), storable]
        super().__init__(validate=rules, **kwargs)


class Seconds(fields.Float):
    """A length of time in seconds; inside a whole number of a smaller unit, `per_second` of them."""

    def __init__(self, per_second: int = 1, longest: float = 10**7, **kwargs: Any) -> None:
        self._per_second = per_second
        super().__init__(validate=validate.Range(0, longest * per_second), **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        if value is None:
            return None
        return value if self._per_second == 1 else value / self._per_second

    def _validated(self, value: Any) -> Any:
        if isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        seconds = super()._validated(value)
        if seconds is None or abs(seconds) > LARGEST:
            return seconds
        return seconds if self._per_second == 1 else round(seconds * self._per_second)


class Length(fields.String):
    """A length of time in an address, in seconds or with its unit; inside seconds."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("metadata", {})["pattern"] = LENGTH_PATTERN
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        try:
            return parse_length(super()._deserialize(value, attr, data, **kwargs))
        except ValueError as error:
            raise ValidationError(str(error)) from None


class Whole(fields.Integer):
    """A whole number that fits into a column."""

    def __init__(self, least: int = SMALLEST, most: int = LARGEST, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(least, most), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        # In JSON a number is a number and true is none; in an address everything is a text.
        if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
            raise self.make_error("invalid", input=value)
        if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,20}", value):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Entry(fields.Nested):
    """A thing in a list. In a change of some fields it is whole all the same: for nothing says which is meant."""

    def _load(self, value: Any, partial: Any = None) -> Any:
        return super()._load(value, partial=False)


class Known(Schema):
    """A schema that names what it knows to whoever sends something else."""

    class Meta:
        """Nothing is passed over in silence."""

        unknown = RAISE

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        known = sorted(field.data_key or name for name, field in self.load_fields.items())
        self.error_messages = {
            **self.error_messages,
            "unknown": f"This is not known here. Known are: {', '.join(known)}.",
            "type": "Send a JSON object.",
        }


def storable(text: str) -> None:
    """Refuse what no database stores: a NUL, or half of a surrogate pair.

    Raises:
        ValidationError: when there is one.
    """
    try:
        usable = "\0" not in text
        text.encode()
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise ValidationError("This has characters that cannot be stored.")


def one_of(choices: Mapping[str, Any] | list[str] | tuple[str, ...]) -> Callable[[str], Any]:
    """A rule that names the choices."""
    return validate.OneOf(list(choices), error=f"Choose one of {', '.join(choices)}.")
