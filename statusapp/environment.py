"""Values of one type each from environment variables, or one line about what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class SettingsError(ValueError):
    """A setting has a value that cannot be used; the message is one line that names the variable."""


def env_int(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    """A whole number from `low` to `high`; an empty value means the default."""
    text = env.get(name, "").strip()
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise SettingsError(f"{name}={text!r} cannot be used: it must be a whole number from {low} to {high}.")
    return value


def env_float(env: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    """A number from `low` to `high`; an empty value means the default."""
    text = env.get(name, "").strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise SettingsError(f"{name}={text!r} cannot be used: it must be a number from {low:g} to {high:g}.")
    return value


def env_bool(env: Mapping[str, str], name: str, default: bool) -> bool:
    """True or false, in the usual words."""
    text = env.get(name, "").strip().lower()
    if text in ("", "1", "true", "yes", "on"):
        return bool(text) or default
    if text in ("0", "false", "no", "off"):
        return False
    raise SettingsError(f"{name}={text!r} cannot be used: it must be true or false.")


def env_choice(env: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    """One of `choices`, whatever its case."""
    text = env.get(name, "").strip() or default
    if text.upper() not in choices:
        raise SettingsError(f"{name}={text!r} cannot be used: it must be one of {', '.join(choices)}.")
    return text.upper()


def env_secret(env: Mapping[str, str], name: str) -> str | None:
    """A secret from `NAME`, or from the file that `NAME_FILE` points to; None when neither is set."""
    path = env.get(f"{name}_FILE", "").strip()
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{name}_FILE={path!r} cannot be read: {error}.") from error
    return env.get(name, "").strip() or None
