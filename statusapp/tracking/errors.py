"""What is noted of an exception while the request that it broke is still there.

The note holds texts only, no object of the application: nothing is kept alive by it. What its message says is scrubbed
later, by the thread that ships, together with the texts of the request that it must not repeat.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

# Where integrations leave what they know, in the WSGI environment.
ROUTE_KEY = "statusapp.route"
USER_KEY = "statusapp.user"
ERROR_KEY = "statusapp.error"

MAX_TEXT = 4000
FRAMES = 5
MAX_NAMES = 200


class ErrorNote(NamedTuple):
    """An exception.

    Attributes:
        name: its class, with the module unless that is builtins.
        text: what it says, at most MAX_TEXT characters, not scrubbed.
        places: file and function of its innermost frames, outermost first; no line numbers, which move at each change.
        code_names: names of variables and attributes in the function that raised it: they are code, not data.
    """

    name: str
    text: str
    places: tuple[str, ...]
    code_names: tuple[str, ...]


def note_error(environ: dict[str, Any], error: BaseException) -> None:
    """Note an exception that the application turns into an answer by itself. It is recorded if that answer's status is
    500 or above; of several, the last. Never raises."""
    try:
        environ[ERROR_KEY] = describe(error)
    except Exception:  # noqa: S110 - what cannot be described is recorded without
        pass


def describe(error: BaseException) -> ErrorNote:
    """The note on an exception."""
    kind = type(error)
    try:
        text = str(error)[:MAX_TEXT]
    except Exception:
        text = ""  # A __str__ of the application's that is broken itself.
    places: list[str] = []
    code = None
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{_short(code.co_filename)}:{code.co_qualname}")
        trace = trace.tb_next
    names = () if code is None else (code.co_names + code.co_varnames + code.co_freevars)[:MAX_NAMES]
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return ErrorNote(module + kind.__qualname__, text, tuple(places[-FRAMES:]), names)


def fingerprint(note: ErrorNote) -> str:
    """16 hexadecimal digits, the same for errors of one class that come the same way, whatever they say."""
    text = "\n".join((note.name, *note.places))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _short(path: str) -> str:
    """The last two parts of a path: the same on hosts whose installations lie in different places."""
    return "/".join(path.replace("\\", "/").split("/")[-2:])
