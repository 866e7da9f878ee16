"""Conditions on what a probe saw, in the form that Gatus made usual: `[BODY].data.items[0].id == 7`.

    condition   = subject operator expectation
    subject     = placeholder [path] | len(placeholder [path]) | has(placeholder [path])
    operator    = == | != | < | <= | > | >=
    expectation = number | duration (500ms, 10s, 5m, 48h, 7d) | true | false | null | "quoted" | bare words
                | pat(*glob*) | re(regular expression) | any(expectation, ...)

Patterns are compiled with RE2, in time linear in the text, so that none can hold a worker. A condition on something
that is not there fails; `has(...) == false` is how to ask for that.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

import re2

OPERATORS = ("==", "!=", "<=", ">=", "<", ">")
PLACEHOLDERS = (
    "STATUS", "RESPONSE_TIME", "IP", "BODY", "HEADER", "CERTIFICATE_EXPIRATION", "CONNECTED", "DNS_RCODE",
)  # fmt: skip
MAX_LENGTH = 1000
MAX_PATTERN_MEMORY = 1 << 20

_DURATION_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_SUBJECT = re.compile(r"(?:(len|has)\(\s*)?\[([A-Z_]+)\]([^\s=!<>()]*)(?(1)\s*\))")
_STEP = re.compile(r"\.([^.\[\]]+)|\[([0-9]{1,9})\]")
_CALL = re.compile(r"(any|pat|re)\((.*)\)", re.DOTALL)
_WORDS = {"true": True, "false": False, "null": None}


class InvalidCondition(ValueError):
    """A text is no condition; the message says where and what would be right."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time in milliseconds, as it was written."""

    milliseconds: float
    text: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """A glob (`pat`) or a regular expression (`re`) that a text has to match: the glob whole, the other anywhere."""

    function: str
    text: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Any of several expectations."""

    options: tuple[Scalar | Pattern, ...]


Scalar = str | int | float | bool | None | Duration
Expectation = Scalar | Pattern | Choice


@dataclass(frozen=True, slots=True)
class Subject:
    """What is looked at: a placeholder, the way from there, and perhaps its length or its presence."""

    placeholder: str
    path: tuple[str | int, ...] = ()
    function: str | None = None

    def __str__(self) -> str:
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        text = f"[{self.placeholder}]{steps}"
        return f"{self.function}({text})" if self.function else text


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed condition. Its `str` is its own form, which parses to the same condition."""

    subject: Subject
    operator: str
    expected: Expectation
    _text: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        # Written once: it is asked for with every check.
        return self._text


@lru_cache(maxsize=4096)
def parse_condition(text: str) -> Condition:
    """The condition that `text` is.

    Raises:
        InvalidCondition: when it is none.
    """
    text = text.strip()
    if len(text) > MAX_LENGTH:
        raise InvalidCondition(f"a condition has at most {MAX_LENGTH} characters")
    match = _SUBJECT.match(text)
    if match is None:
        raise InvalidCondition(f"{text!r} must begin with a placeholder, as in [STATUS] == 200")
    subject = _subject(*match.groups())
    rest = text[match.end() :].lstrip()
    operator = next((sign for sign in OPERATORS if rest.startswith(sign)), None)
    if operator is None:
        raise InvalidCondition(f"after {subject} one of {' '.join(OPERATORS)} is needed")
    expected = _expectation(rest[len(operator) :].strip())
    _check_comparable(subject, operator, expected)
    return Condition(subject, operator, expected, f"{subject} {operator} {_written(expected)}")


@lru_cache(maxsize=4096)
def compile_pattern(pattern: Pattern) -> re2._Regexp:
    """The pattern, ready to `search`.

    Raises:
        InvalidCondition: when RE2 cannot compile it.
    """
    options = re2.Options()
    options.max_mem = MAX_PATTERN_MEMORY
    options.log_errors = False
    source = pattern.text
    if pattern.function == "pat":
        options.dot_nl = True
        source = "^" + "".join(".*" if part == "*" else re2.escape(part) for part in re.split(r"(\*)", source)) + r"\z"
    try:
        return re2.compile(source, options)
    except (re2.error, UnicodeEncodeError) as error:
        raise InvalidCondition(f"{_written(pattern)} is not a pattern that RE2 can use: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """RE2's own words, which it gives as bytes."""
    reason = error.args[0] if error.args else ""
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(error)


def _subject(function: str | None, placeholder: str, rest: str) -> Subject:
    if placeholder not in PLACEHOLDERS:
        raise InvalidCondition(f"[{placeholder}] is not known; there are {', '.join(f'[{p}]' for p in PLACEHOLDERS)}")
    path: list[str | int] = []
    position = 0
    while position < len(rest):
        step = _STEP.match(rest, position)
        if step is None:
            raise InvalidCondition(f"{rest!r} is not a path; write for example .data.items[0].id")
        path.append(step[1] if step[1] is not None else int(step[2]))
        position = step.end()
    if placeholder == "HEADER" and (len(path) != 1 or not isinstance(path[0], str)):
        raise InvalidCondition("a header is named as in [HEADER].content-type")
    if path and placeholder not in ("HEADER", "BODY"):
        raise InvalidCondition(f"[{placeholder}] has no parts; only [BODY] and [HEADER] do")
    return Subject(placeholder, tuple(path), function)


def _check_comparable(subject: Subject, operator: str, expected: Expectation) -> None:
    """Refuse comparisons that could never hold."""
    if operator not in ("==", "!=") and not isinstance(expected, int | float | Duration):
        raise InvalidCondition(f"{operator} compares numbers and durations; {_written(expected)} is neither")
    if subject.function == "has":
        if not isinstance(expected, bool):
            raise InvalidCondition("has(...) is compared with true or false")
    elif subject.placeholder == "CERTIFICATE_EXPIRATION" and not isinstance(expected, Duration):
        raise InvalidCondition("[CERTIFICATE_EXPIRATION] is compared with a duration such as 48h or 14d")


def _expectation(text: str) -> Expectation:
    match = _CALL.fullmatch(text)
    if match is not None and match[1] == "any":
        options = tuple(_simple(part.strip()) for part in _split(match[2]))
        return Choice(options)
    return _simple(text)


def _simple(text: str) -> Scalar | Pattern:
    """One expectation that is no `any`."""
    match = _CALL.fullmatch(text)
    if match is not None:
        if match[1] == "any":
            raise InvalidCondition("any(...) cannot stand inside any(...)")
        pattern = Pattern(match[1], match[2])
        compile_pattern(pattern)
        return pattern
    if not text:
        raise InvalidCondition('there is nothing to compare with; the empty text is written ""')
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text):
        return _number(text)
    duration = _DURATION.fullmatch(text)
    if duration is not None:
        return Duration(float(duration[1]) * _DURATION_MS[duration[2]], text)
    if text.startswith('"'):
        return _quoted(text)
    return text


def _number(text: str) -> int | float:
    if "." not in text:
        return int(text)
    value = float(text)
    if not math.isfinite(value):
        raise InvalidCondition(f"{text} is too large a number")
    return value


def _quoted(text: str) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        raise InvalidCondition(f'{text} is not a text in quotes; quotes inside are written \\"') from None
    if not isinstance(value, str):
        raise InvalidCondition(f"{text} is not a text in quotes")
    return value


def _split(text: str) -> list[str]:
    """The parts between commas that stand neither in quotes nor in brackets."""
    parts, depth, quoted, escaped, start = [], 0, False, False, 0
    for position, character in enumerate(text):
        if escaped:
            escaped = False
        elif quoted:
            escaped, quoted = character == "\\", character != '"'
        elif character == '"' and not text[start:position].strip():
            quoted = True
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def _written(expected: Expectation) -> str:
    """An expectation in the form that parses back to it."""
    if isinstance(expected, Choice):
        return f"any({', '.join(_written(option) for option in expected.options)})"
    if isinstance(expected, Pattern):
        return f"{expected.function}({expected.text})"
    if isinstance(expected, Duration):
        return expected.text
    if isinstance(expected, float):
        # Never with an exponent, which is not part of the form.
        return f"{Decimal(repr(expected)):f}"
    if expected is None or isinstance(expected, bool | int):
        return json.dumps(expected)
    plain = bool(re.fullmatch(r"[A-Za-z][\w./:@-]*", expected)) and _plain_means_itself(expected)
    return expected if plain else json.dumps(expected)


def _plain_means_itself(text: str) -> bool:
    return text not in _WORDS and _CALL.fullmatch(text) is None
