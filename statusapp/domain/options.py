"""The options of a kind of check: a frozen dataclass whose fields say what may be in them, read from plain values.

A field's metadata: `help` (for forms and docs), `secret` (stored encrypted, never shown), `choices`, `low` and `high`.
The class may check more in `__post_init__` and raise ValueError, or better InvalidOption, with a sentence.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

Options = TypeVar("Options")

MAX_TEXT = 64 * 1024


class InvalidOption(ValueError):
    """A value cannot be used; the message names the option, as `option` does, and says what would be right."""

    def __init__(self, message: str, option: str = "") -> None:
        super().__init__(message)
        self.option = option


def option(default: Any, help_text: str, **metadata: Any) -> Any:
    """A field of an options class."""
    metadata["help"] = help_text
    if isinstance(default, dict):
        return dataclasses.field(default_factory=dict, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def read_options(kind: type[Options], values: Mapping[str, Any]) -> Options:
    """The options that `values` are.

    Raises:
        InvalidOption: at the first that is unknown or cannot be used.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(fields))
    if unknown:
        known = ", ".join(fields) or "none"
        raise InvalidOption(f"{unknown[0]!r} is no option of this kind of check; there are: {known}")
    types = get_type_hints(kind)
    read = {name: _value(fields[name], types[name], value) for name, value in values.items()}
    try:
        return kind(**read)
    except InvalidOption:
        raise
    except ValueError as error:
        raise InvalidOption(str(error)) from error


def split_secrets(kind: type[Any], values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """`values` in two parts: those that may be shown, and those that must not."""
    secret = {field.name for field in dataclasses.fields(kind) if field.metadata.get("secret")}
    return (
        {name: value for name, value in values.items() if name not in secret},
        {name: value for name, value in values.items() if name in secret},
    )


def secret_texts(kind: type[Any], values: Mapping[str, Any]) -> tuple[str, ...]:
    """Every text among the secret values, which no message may repeat."""
    texts: list[str] = []
    for value in split_secrets(kind, values)[1].values():
        texts += map(str, value.values()) if isinstance(value, Mapping) else [str(value)]
    return tuple(text for text in texts if text)


def _value(field: dataclasses.Field[Any], wanted: Any, value: Any) -> Any:
    """One value in its type. Texts are read as numbers and truths, for they may come from a form or a command."""
    name = field.name
    if wanted is bool:
        return _truth(name, value)
    if wanted is int:
        return _number(field, value)
    if wanted is str:
        return _text(field, value)
    if not isinstance(value, Mapping) or not all(isinstance(part, str) for pair in value.items() for part in pair):
        raise InvalidOption(f"{name} must be names with texts", name)
    return dict(value)


def _truth(name: str, value: Any) -> bool:
    word = str(value).strip().lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise InvalidOption(f"{name} must be true or false, not {value!r}", name)


def _number(field: dataclasses.Field[Any], value: Any) -> int:
    low, high = field.metadata["low"], field.metadata["high"]
    try:
        number = int(str(value))
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise InvalidOption(f"{field.name} must be a whole number from {low} to {high}, not {value!r}", field.name)
    return number


def _text(field: dataclasses.Field[Any], value: Any) -> str:
    choices = field.metadata.get("choices")
    if not isinstance(value, str):
        raise InvalidOption(f"{field.name} must be a text", field.name)
    if len(value) > MAX_TEXT or "\0" in value:
        raise InvalidOption(f"{field.name} is too long or holds a NUL character", field.name)
    if choices is not None and value not in choices:
        raise InvalidOption(f"{field.name} must be one of {', '.join(choices)}, not {value!r}", field.name)
    return value
