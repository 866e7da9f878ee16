"""Markdown of operators as HTML that can do no harm.

Two walls, each enough by itself: the parser takes no HTML and no address but those of people and pages, and what it
writes passes through a sanitiser that knows the few elements that are meant. Pictures are left out: they would tell
others who reads the page, and the content policy forbids them.
"""

from __future__ import annotations

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

SCHEMES = frozenset({"http", "https", "mailto"})
TAGS = frozenset(
    {"p", "br", "strong", "em", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "a", "h4", "h5", "h6"}
)
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
REL = "nofollow noopener"
# A text is part of a page that has headings of three levels already.
HEADING_SHIFT = 3
LOWEST_HEADING = 6


def _is_harmless(address: str) -> bool:
    scheme, colon, _ = address.partition(":")
    return bool(colon) and scheme.lower() in SCHEMES


_PARSER = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable(["image", "html_block", "html_inline"])
_PARSER.validateLink = _is_harmless  # type: ignore[method-assign, assignment]


@lru_cache(maxsize=1024)
def render_markdown(text: str) -> str:
    """The HTML of a text."""
    tokens = _PARSER.parse(text)
    for token in tokens:
        _lower_heading(token)
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return nh3.clean(
        html, tags=set(TAGS), attributes=ATTRIBUTES, url_schemes=set(SCHEMES), link_rel=REL, strip_comments=True
    )


def _lower_heading(token: Token) -> None:
    if token.type in ("heading_open", "heading_close"):
        token.tag = f"h{min(int(token.tag[1]) + HEADING_SHIFT, LOWEST_HEADING)}"
