"""The kinds of checks as forms need them: what there is to choose, with which options."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, get_type_hints

from statusapp.probes.kinds import KINDS, kind_of


@dataclass(frozen=True, slots=True)
class OptionField:
    """One option of a kind. `type` is bool, int, str or dict; a secret one is never shown again."""

    name: str
    type: type
    default: Any
    help: str
    is_secret: bool
    choices: tuple[str, ...] | None
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True, eq=False)
class KindView:
    """A kind of check. `name` is the first of its schemes, `placeholders` are what conditions may ask for."""

    name: str
    label: str
    schemes: tuple[str, ...]
    example: str
    placeholders: tuple[str, ...]
    options: tuple[OptionField, ...]


def list_kinds() -> tuple[KindView, ...]:
    """All kinds, the usual one first."""
    return tuple(
        KindView(
            kind.schemes[0],
            kind.label,
            kind.schemes,
            kind.example,
            (*kind.placeholders, "RESPONSE_TIME") if kind.placeholders else (),
            _option_fields(kind.options),
        )
        for kind in KINDS
    )


def kind_of_address(url: str) -> str:
    """The name of the kind that an address stands for.

    Raises:
        ValueError: when it is of none.
    """
    return kind_of(url).schemes[0]


def _option_fields(options: type[Any]) -> tuple[OptionField, ...]:
    types = get_type_hints(options)
    return tuple(
        OptionField(
            field.name,
            types[field.name] if types[field.name] in (bool, int, str) else dict,
            {} if field.default is dataclasses.MISSING else field.default,
            field.metadata["help"],
            bool(field.metadata.get("secret")),
            field.metadata.get("choices"),
            field.metadata.get("low"),
            field.metadata.get("high"),
        )
        for field in dataclasses.fields(options)
    )
