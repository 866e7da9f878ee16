"""Messages of errors without what may be data in them. When in doubt, it is cut: class and place say most already.

What stays are plain words, short numbers, names of Python's own types, and names of variables of the function that
raised it. What the request brought along goes in any case, and so do quoted texts, values after "=" and ":", addresses
of any kind, everything with letters and digits in it, and all lines but the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from statusapp.tracking.fields import MAX_ERROR_MESSAGE
from statusapp.tracking.known_texts import Known

CUT = "***"
LONGEST_WORD = 24

_DIGITS = re.compile(r"\d(?:[ .,()/-]{0,2}\d){5,}")
_BRACES = re.compile(r"\{.*(?:\}|$)|<[^>]*(?:>|$)", re.DOTALL)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S*")
# An apostrophe inside a word opens and closes nothing.
_QUOTE = re.compile(r"(?<!\w)'|'(?!\w)|[\"`]")
_PAIRS = str.maketrans("\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019\u201a", '"""""' + "'''")
_MARKS = re.compile(rf"(?:{re.escape(CUT)}[\s,;]*){{2,}}")
_NUMBER = re.compile(r"\d{1,5}(?:\.\d{1,3})?%?")
# A word: in lower case, capitalised, in capitals, or several of them put together as in ClassName. Scripts without
# spaces between words are none, because a name cannot be told from the words around it.
_LETTERS = r"[^\W\d_A-Z\u2e80-\U0010ffff]"
_WORD = re.compile(
    rf"[A-Z]?{_LETTERS}+|[A-Z]{{1,12}}s?|(?:[A-Z]?[a-z]{{2,}})?(?:[A-Z][a-z]{{2,}}){{1,4}}|[A-Z]?[a-z]+(?:n't|'s)"
)
# Hexadecimal digits that are all letters, and rows of consonants that no word has.
_RANDOM = re.compile(r"[a-f]{8,}|.*[bcdfghjklmnpqrstvwxz]{6}.*", re.IGNORECASE)
_SPLIT_WORD = re.compile(r"[_-]").split
_EDGE = "()[]{}.,;:!?*+-"
_TYPE_NAMES = (
    "NoneType bool int float complex str bytes bytearray list tuple dict set frozenset object function method module "
    "type generator coroutine range slice iterator property"
)
_TYPES = frozenset(_TYPE_NAMES.split())
# After the name of a secret comes its value, unless one of these does.
_FILLER_WORDS = (
    "is was has had are be been for of in on to by with and or not no must should cannot can could may the a an given "
    "missing required invalid expired wrong unknown empty mismatch failed error field header too does did do found "
    "already exists denied at least most long only"
)
_FILLERS = frozenset(_FILLER_WORDS.split())


def scrub(text: str, known: Known, code_names: Collection[str], is_secret: Callable[[str], bool]) -> str:
    """What may be kept of an error's message, at most 300 characters.

    Args:
        text: the message.
        known: what the request brought along.
        code_names: names in the function that raised it.
        is_secret: whether the value of a name is a secret.
    """
    text = _without_parts(text.translate(_PAIRS), known.parts).strip().partition("\n")[0]
    text = _BRACES.sub(CUT, _without_quoted(text, known, code_names))
    text = _DIGITS.sub(CUT, _URL.sub(CUT, text))
    kept = " ".join(_Words(known, is_secret).kept(text.split()))
    kept = _MARKS.sub(f"{CUT} ", kept).strip()
    return kept[:MAX_ERROR_MESSAGE] if kept.isprintable() else CUT


def _without_parts(text: str, parts: tuple[str, ...]) -> str:
    lowered = text.lower()
    for part in parts:
        if part in lowered:
            text = re.sub(re.escape(part), CUT, text, flags=re.IGNORECASE)
            # What only lower() makes equal, such as a dotted capital I, is nothing that can be told apart: give up.
            lowered = text.lower()
            if part in lowered:
                return CUT
    return text


def _without_quoted(text: str, known: Known, code_names: Collection[str]) -> str:
    """The text with a mark for each quoted one. If the quotes do not come in pairs, all from the first on goes."""
    marks = list(_QUOTE.finditer(text))
    if not marks:
        return text
    pairs = list(zip(marks[::2], marks[1::2], strict=False))
    if len(marks) % 2 or any(opening.group() != closing.group() for opening, closing in pairs):
        return text[: marks[0].start()] + CUT
    pieces, position = [], 0
    for opening, closing in pairs:
        pieces.append(text[position : opening.start()])
        quoted = text[opening.end() : closing.start()]
        is_code = quoted in _TYPES or (quoted in code_names and quoted.lower() not in known.words)
        pieces.append(quoted if is_code else CUT)
        position = closing.end()
    return "".join(pieces) + text[position:]


class _Words:
    """One pass over the words of a message."""

    def __init__(self, known: Known, is_secret: Callable[[str], bool]) -> None:
        self._known = known.words
        self._is_secret = is_secret
        self._after_name = False  # The name of a secret came, its value not yet.
        self._in_value = False  # Behind "=", or the ":" of a secret: all goes, up to the next comma.
        self._since_colon = -1  # How many words came since a colon; -1: there was none.

    def kept(self, words: list[str]) -> list[str]:
        """The words, those that may not be kept replaced by marks."""
        kept = []
        for place, word in enumerate(words):
            kept.append(self._one(word, is_last=place == len(words) - 1))
            if word.endswith((",", ";")):
                self._after_name = self._in_value = False
                self._since_colon = -1
        return kept

    def _one(self, word: str, *, is_last: bool) -> str:
        if self._in_value:
            return CUT
        name, equals, _ = word.partition("=")
        if equals:
            self._in_value = True
            return f"{name}={CUT}" if self._may_stay(name.strip(_EDGE)) else CUT
        core = word.strip(_EDGE)
        if CUT in word:
            # Here was a value, perhaps that of the name before.
            self._after_name = False
            return CUT
        stays = self._may_stay(core) and not self._looks_like_value(core, is_last=is_last)
        if core:
            is_filler = core.lower() in _FILLERS
            self._after_name = self._is_secret(core) or (self._after_name and is_filler)
            self._since_colon += self._since_colon >= 0
        if word.endswith(":"):
            self._since_colon, self._in_value = 0, self._after_name
        return word if stays else CUT

    def _looks_like_value(self, core: str, *, is_last: bool) -> bool:
        if self._after_name and core and core.lower() not in _FILLERS:
            return True
        if self._since_colon < 0 or not core:
            return False
        # "shop: Miller", "shop: John Miller" and "shop: miller", but not "failed: the connection was refused".
        is_plain = core.islower() or (self._since_colon > 0 and _NUMBER.fullmatch(core) is not None)
        return not is_plain or (is_last and self._since_colon == 0)

    def _may_stay(self, core: str) -> bool:
        if not core or _NUMBER.fullmatch(core):
            return core not in self._known
        return (
            len(core) <= LONGEST_WORD
            and all(not piece or _WORD.fullmatch(piece) for piece in _SPLIT_WORD(core))
            and _RANDOM.fullmatch(core) is None
            and core.lower() not in self._known
            and self._known.isdisjoint(piece.lower() for piece in _SPLIT_WORD(core))
        )
