"""The fields of the operator's forms: what people type on one side, what services take on the other.

A field that a request does not have keeps what it was made with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wtforms import Field, SelectChoice, SelectField, StringField, TextAreaField
from wtforms.validators import ValidationError
from wtforms.widgets import PasswordInput, TextArea, TextInput

from statusapp.web.admin.durations import duration_words, parse_duration

LONGEST_TEXT = 70_000
Pairs = Iterable[tuple[str, str]]


class DurationField(StringField):  # type: ignore[misc]
    """A length of time, typed as in "5 min"; `data` is seconds, or None when it is left empty."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else duration_words(self.data)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed."""
        if valuelist:
            text = valuelist[0].strip()
            self.data = None
            self.data = parse_duration(text) if text else None


class WholeNumberField(StringField):  # type: ignore[misc]
    """A whole number; `data` is None when it is left empty."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else str(self.data)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed."""
        if not valuelist:
            return
        text = valuelist[0].strip()
        self.data = None
        if text:
            try:
                self.data = int(text) if len(text) <= 18 else int("")
            except ValueError:
                raise ValueError("Enter a whole number.") from None


class NumberField(StringField):  # type: ignore[misc]
    """A number, perhaps with decimals; `data` is None when it is left empty."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{self.data:g}"

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed."""
        if not valuelist:
            return
        text = valuelist[0].strip().replace(",", ".")
        self.data = None
        if text:
            try:
                self.data = float(text)
            except ValueError:
                raise ValueError("Enter a number.") from None
            if not abs(self.data) < 1e15:
                raise ValueError("Enter a number.")


class LongTextField(TextAreaField):  # type: ignore[misc]
    """A text of many lines, as it was typed."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed."""
        if valuelist:
            self.data = valuelist[0].replace("\r\n", "\n")


class WordsField(StringField):  # type: ignore[misc]
    """Words with commas between them; `data` is a tuple."""

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else ", ".join(self.data or ())

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed."""
        if valuelist:
            parts = (part.strip() for part in valuelist[0].split(","))
            self.data = tuple(dict.fromkeys(part for part in parts if part))


class LinesField(TextAreaField):  # type: ignore[misc]
    """One thing a line; `data` is a tuple."""

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else "\n".join(self.data or ())

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed."""
        if valuelist:
            self.data = tuple(line.strip() for line in valuelist[0].splitlines() if line.strip())


class SecretField(Field):  # type: ignore[misc]
    """What is never shown again. Left empty it stays as it is; a box beside it takes it away.

    `is_set` is whether there is one, `can_clear` whether it may be taken away; `clears` whether the box is ticked.
    `data` is what was typed, or None.
    """

    def __init__(
        self, *arguments: Any, lines: int = 0, pairs: bool = False, is_seen: bool = False, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self.lines, self.pairs = lines, pairs
        # An address is seen while it is typed, a password is not.
        self.widget = TextArea() if lines else TextInput() if is_seen else PasswordInput(hide_value=False)
        self.is_set = False
        self.can_clear = True
        self.clears = False

    @property
    def clear_name(self) -> str:
        """What the box is called in the form."""
        return f"{self.name}-clear"

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        """Read the field and the box."""
        super().process(formdata, data, extra_filters)
        self.clears = bool(formdata and formdata.get(self.clear_name))

    def _value(self) -> str:
        # Only what somebody has just typed and is about to send again.
        return str(self.raw_data[0]) if self.raw_data else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed."""
        # Browsers send the line ends of long texts as two characters.
        text = valuelist[0].replace("\r\n", "\n") if valuelist else ""
        self.data = None
        if text.strip():
            self.data = _pairs(text) if self.pairs else text if self.lines else text.strip()


class ChoiceField(SelectField):  # type: ignore[misc]
    """One of some values, which are texts with labels."""

    def __init__(self, *arguments: Any, choices: Pairs = (), **options: Any) -> None:
        super().__init__(*arguments, choices=as_choices(choices), **options)

    def pre_validate(self, form: Any) -> None:
        """Refuse what is not among the choices."""
        if str(self.data) not in [choice.value for choice in self.choices]:
            raise ValidationError(f"Choose one of these: {', '.join(choice.label for choice in self.choices)}.")


class TicksField(Field):  # type: ignore[misc]
    """Any number of some values, each with a box. `choices` are values with labels, `data` the ticked values."""

    def __init__(self, *arguments: Any, choices: Pairs = (), **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.choices = tuple(choices)

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        """Read the boxes: in a form that was sent, none is none."""
        super().process(formdata, () if formdata else data, extra_filters)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was ticked."""
        self.data = tuple(dict.fromkeys(valuelist))

    def pre_validate(self, form: Any) -> None:
        """Refuse what is not among the choices."""
        known = {value for value, _ in self.choices}
        if any(value not in known for value in self.data or ()):
            raise ValidationError("One of the ticked ones is not there any more. Look at them again.")


def as_choices(pairs: Pairs) -> list[SelectChoice]:
    """Values with labels as a `ChoiceField` takes them."""
    return [SelectChoice(value, label) for value, label in pairs]


class Storable:
    """A validator for every text: what no database can hold is refused in words."""

    def __call__(self, form: Any, field: Field) -> None:
        """Look at what was typed."""
        for text in field.raw_data or ():
            if isinstance(text, str):
                if "\0" in text or any(0xD800 <= ord(character) <= 0xDFFF for character in text):
                    raise ValidationError("This holds a character that cannot be stored.")
                if len(text) > LONGEST_TEXT:
                    raise ValidationError("This is too long.")


def _pairs(text: str) -> Mapping[str, str]:
    """The names and values of lines such as "Accept: text/plain"."""
    found = {}
    for line in text.splitlines():
        if line.strip():
            name, colon, value = line.partition(":")
            if not colon or not name.strip():
                raise ValueError(f"Write each line as Name: value; this one is not so: {line.strip()[:60]}")
            found[name.strip()] = value.strip()
    return found
