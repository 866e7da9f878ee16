"""The forms about incidents."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField

from statusapp.domain.enums import Impact, IncidentStatus
from statusapp.domain.incidents import IMPACT_WORDS, OVER, STATUS_WORDS
from statusapp.web.admin.fields import ChoiceField, LongTextField, Storable, TicksField

DERIVED = "derived"
_MARKDOWN = "Markdown: **bold**, [a link](https://example.org), lists with - at the beginning of a line."
_OPENABLE = [status for status in IncidentStatus if status not in OVER]
_IMPACTS = [(DERIVED, "As the affected services say"), *((one.word, IMPACT_WORDS[one]) for one in Impact)]


class OpenForm(FlaskForm):  # type: ignore[misc]
    """A new incident."""

    title = StringField("Title", [Storable()], description="What people notice, as in “Payments fail”.")
    body = LongTextField("What is known", [Storable()], description=_MARKDOWN)
    services = TicksField("Affected services", description="Their state decides the impact, unless it is set below.")
    status = ChoiceField(
        "Status", choices=[(one.word, STATUS_WORDS[one]) for one in _OPENABLE], default=_OPENABLE[0].word
    )
    impact = ChoiceField("Impact", choices=_IMPACTS, default=DERIVED)
    is_public = BooleanField(
        "Public", default=True, description="Without it, it is a draft: only operators see it, until it is published."
    )


class EditForm(FlaskForm):  # type: ignore[misc]
    """What can be different about an incident."""

    title = StringField("Title", [Storable()])
    services = TicksField("Affected services", description="Their worst state so far decides the impact.")
    impact = ChoiceField("Impact", choices=_IMPACTS)


class UpdateForm(FlaskForm):  # type: ignore[misc]
    """The next word on an incident."""

    body = LongTextField("Update", [Storable()], description=_MARKDOWN)
    status = ChoiceField("Status", default="")


class TextForm(FlaskForm):  # type: ignore[misc]
    """The text of an update."""

    body = LongTextField("Text", [Storable()], description=_MARKDOWN)


def impact_of(value: str) -> Impact | None:
    """The impact that was chosen; None for the one that follows from the services."""
    return None if value == DERIVED else Impact[value.upper()]


def status_of_move(value: str) -> IncidentStatus | None:
    """Where an incident is moved to; None when it stays."""
    return IncidentStatus[value.upper()] if value else None
