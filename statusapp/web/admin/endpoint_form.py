"""The form of a service: its fields, and how it becomes a draft and a draft becomes it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, StringField

from statusapp.services.endpoint_drafts import HEARTBEAT_LOOK_S, EndpointDraft, InvalidEndpoint
from statusapp.services.endpoint_kinds import KindView, OptionField
from statusapp.web.admin import endpoint_words as words
from statusapp.web.admin.fields import (
    ChoiceField,
    DurationField,
    LinesField,
    LongTextField,
    SecretField,
    Storable,
    WholeNumberField,
    WordsField,
)

HEARTBEAT = "heartbeat"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_TEXT = [Storable()]
# How far a field of the form is from what a draft calls it.
_SECONDS = ("interval_s", "timeout_ms", "slow_ms")


@dataclass(frozen=True, slots=True)
class Section:
    """Some fields under a heading; a folded one is opened by whoever needs it."""

    title: str
    fields: tuple[str, ...]
    is_folded: bool = False
    note: str = ""


class EndpointForm(FlaskForm):  # type: ignore[misc]
    """What every service has. The fields are named as in `EndpointDraft`."""

    name = StringField("Name", _TEXT, description=words.HELP["name"])
    url = StringField("Address", _TEXT, description=words.HELP["url"])
    method = ChoiceField("Method", _TEXT, choices=[(name, name) for name in METHODS], description=words.HELP["method"])
    expected_status_codes = StringField("Expected status codes", _TEXT, description=words.HELP["expected_status_codes"])
    conditions = LinesField("Conditions", _TEXT, description=words.HELP["conditions"])
    degrading = LinesField("Conditions that only degrade", _TEXT, description=words.HELP["degrading"])
    slow_ms = DurationField("Slow from", _TEXT, description=words.HELP["slow_ms"])
    interval_s = DurationField("Check every", _TEXT, description=words.HELP["interval_s"])
    timeout_ms = DurationField("Give up after", _TEXT, description=words.HELP["timeout_ms"])
    retries = WholeNumberField("Retries", _TEXT, description=words.HELP["retries"])
    successes_to_confirm = WholeNumberField("Good checks to recover", _TEXT, description=words.HELP["successes"])
    group = StringField("Group", _TEXT, description=words.HELP["group"])
    tags = WordsField("Tags", _TEXT, description=words.HELP["tags"])
    depends_on = LinesField("Depends on", _TEXT, description=words.HELP["depends_on"])
    description = StringField("Description", _TEXT, description=words.HELP["description"])
    position = WholeNumberField("Position", _TEXT, description=words.HELP["position"])
    is_public = BooleanField("On the status page", description=words.HELP["is_public"])
    shows_url = BooleanField("Show the address on the page", description=words.HELP["shows_url"])


@lru_cache(maxsize=16)
def form_class(kind: KindView) -> type[EndpointForm]:
    """The form for one kind of check, with its options."""
    fields = {_field_name(option): _option_field(option) for option in kind.options}
    return type(f"{kind.name.capitalize()}Form", (EndpointForm,), fields)


def sections_of(kind: KindView) -> list[Section]:
    """The fields of a kind under their headings."""
    own = tuple(_field_name(option) for option in kind.options)
    if kind.name == HEARTBEAT:
        return [
            Section("What calls in", ("name", *own)),
            Section("On the page", words.ON_THE_PAGE),
            Section("More", (*words.RARE, "interval_s"), is_folded=True, note=words.RARE_NOTE),
        ]
    if kind.name != "http":
        return [
            Section("What is checked", ("name", "url", *own)),
            Section("When it is checked", words.WHEN),
            Section("On the page", words.ON_THE_PAGE),
            Section("Conditions", words.RIGHT, is_folded=True, note=words.RIGHT_NOTE),
            Section("More", words.RARE, is_folded=True, note=words.RARE_NOTE),
        ]
    return [
        Section("What is checked", ("name", "url", "expected_status_codes")),
        Section("When it is checked", words.WHEN),
        Section("On the page", words.ON_THE_PAGE),
        Section("Conditions", words.RIGHT, is_folded=True, note=words.RIGHT_NOTE),
        Section("Request", ("method", *words.REQUEST), is_folded=True, note=words.REQUEST_NOTE),
        Section("Sign-in", words.SIGN_IN, is_folded=True, note=words.SIGN_IN_NOTE),
        Section("Connection", words.CONNECTION, is_folded=True, note=words.CONNECTION_NOTE),
        Section("More", words.RARE, is_folded=True, note=words.RARE_NOTE),
    ]


def new_draft(kind: KindView) -> EndpointDraft:
    """The defaults of a new service of a kind."""
    if kind.name == HEARTBEAT:
        return EndpointDraft("", f"{HEARTBEAT}:", interval_s=HEARTBEAT_LOOK_S)
    return EndpointDraft("", "")


def values_of(draft: EndpointDraft, kind: KindView) -> dict[str, Any]:
    """What the form shows of a draft."""
    values: dict[str, Any] = {name: getattr(draft, name) for name in EndpointDraft.__dataclass_fields__}
    values |= {name: values[name] / 1000 for name in ("timeout_ms", "slow_ms") if values[name] is not None}
    values["conditions"] = tuple(text for text, degrades in draft.conditions if not degrades)
    values["degrading"] = tuple(text for text, degrades in draft.conditions if degrades)
    for option in kind.options:
        if not option.is_secret:
            values[_field_name(option)] = _typed(option, draft.options.get(option.name, option.default))
    return values


def draft_of(form: EndpointForm, kind: KindView, base: EndpointDraft) -> EndpointDraft:
    """The draft that the form says; what it does not show is as in `base`. The form's fields have been read."""
    shown = {name for section in sections_of(kind) for name in section.fields}
    values = {name: getattr(base, name) for name in EndpointDraft.__dataclass_fields__}
    for name in values.keys() & shown - {"conditions"}:
        values[name] = _value(form[name], values[name])
    for name in ("timeout_ms", "slow_ms"):
        if name in shown and form[name].data is not None:
            values[name] = round(form[name].data * 1000)
    values["interval_s"] = round(values["interval_s"] or 0)
    if "conditions" in shown:
        failing, degrading = form.conditions.data or (), form.degrading.data or ()
        values["conditions"] = (*((text, False) for text in failing), *((text, True) for text in degrading))
    values["group"] = (values["group"] or "").strip() or None
    values["url"] = values["url"].strip()
    values["options"] = _options(form, kind)
    return EndpointDraft(**values)


def cleared_of(form: EndpointForm) -> list[str]:
    """The names of the secrets that are to go."""
    return [field.name.removeprefix("option_") for field in form if isinstance(field, SecretField) and field.clears]


def tell(form: EndpointForm, kind: KindView, problem: InvalidEndpoint) -> None:
    """Write what is wrong beside the field that is at fault."""
    name = f"option_{problem.option}" if problem.field == "options" else problem.field
    text = str(problem).removeprefix("Options: ").removeprefix("Condition: ").removeprefix("Expected status codes: ")
    for option in kind.options:
        if "_" in option.name:
            text = text.replace(option.name, words.label_of(option.name))
    field = form[name] if name in form else form[next(iter(sections_of(kind)[0].fields))]
    # A duration that cannot be read has been told of already.
    if not field.errors:
        field.errors = [text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")]


def mark_secrets(form: EndpointForm, names: frozenset[str], *, may_change: bool) -> None:
    """Tell the secret fields which of them are set, and lock them for who may not change them."""
    for field in form:
        if isinstance(field, SecretField):
            field.is_set = field.name.removeprefix("option_") in names
            if not may_change:
                field.render_kw = {"disabled": True}


def _field_name(option: OptionField) -> str:
    return f"option_{option.name}"


def _option_field(option: OptionField) -> Field:
    label = words.label_of(option.name)
    text = words.HELP.get(option.name) or option.help[:1].upper() + option.help[1:] + "."
    if option.is_secret:
        lines = words.LINES.get(option.name, 0)
        return SecretField(label, _TEXT, lines=lines, pairs=option.type is dict, description=text)
    if option.type is bool:
        return BooleanField(label, description=text)
    if option.type is int:
        in_seconds = option.name in words.DURATIONS
        return (DurationField if in_seconds else WholeNumberField)(label, _TEXT, description=text)
    if option.choices is not None:
        choices = [(choice, words.CHOICES.get((option.name, choice), choice)) for choice in option.choices]
        return ChoiceField(label, _TEXT, choices=choices, description=text)
    return (LongTextField if option.name in words.LINES else StringField)(label, _TEXT, description=text)


def _typed(option: OptionField, value: Any) -> Any:
    """A stored option as its field takes it: commands store texts."""
    if option.type is bool:
        return str(value).strip().lower() in ("true", "yes", "on", "1")
    if option.type is int:
        return int(str(value))
    return value


def _options(form: EndpointForm, kind: KindView) -> dict[str, Any]:
    """The options that are not as they are by default."""
    found = {}
    for option in kind.options:
        value = form[_field_name(option)].data
        if option.type is int and option.name in words.DURATIONS and value is not None:
            value = round(value)
        if isinstance(value, str) and not option.is_secret:
            value = value.strip()
        if value is not None and value != option.default:
            found[option.name] = value
    return found


def _value(field: Field, before: Any) -> Any:
    """What was typed; an empty number is the one before, an empty text is one."""
    if field.data is None:
        return None if field.name == "slow_ms" else before
    return field.data
