"""The kinds of channels as forms need them."""

from __future__ import annotations

from dataclasses import dataclass

from statusapp.notifiers.registry import REGISTRY


@dataclass(frozen=True, slots=True)
class DestinationField:
    """One part of where a channel leads. All of it is secret; what `is_typed_blind` is not even seen while typed."""

    name: str
    label: str
    help: str
    is_optional: bool = False
    is_typed_blind: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ChannelKindView:
    """A kind of channel with the parts of its destination."""

    name: str
    label: str
    fields: tuple[DestinationField, ...]


_FIELDS = {
    "email": (
        DestinationField("to", "Recipients", "Addresses with commas between them, as in ops@example.org."),
        DestinationField("sender", "Sender", "Left empty, it is the user of the mail server.", is_optional=True),
        DestinationField(
            "url",
            "Mail server",
            "As in smtp://user:password@host:587 or smtps://host; left empty, it is the one of the setting SMTP_URL.",
            is_optional=True,
        ),
    ),
    "apprise": (
        DestinationField(
            "url",
            "Address",
            "As in tgram://token/chat or ntfys://topic; https://appriseit.com/services/ has all of them, for chat, "
            "push, SMS, pagers.",
        ),
    ),
    "webhook": (
        DestinationField("url", "Address", "What is called by POST, as in https://example.org/hooks/status."),
        DestinationField(
            "secret",
            "Secret",
            "At least 16 characters; the receiver checks the signature of each call with it.",
            is_typed_blind=True,
        ),
    ),
}


def list_channel_kinds() -> tuple[ChannelKindView, ...]:
    """All kinds in the order in which they are offered."""
    return tuple(ChannelKindView(kind.name, kind.label, _FIELDS[kind.name]) for kind in REGISTRY.values())
