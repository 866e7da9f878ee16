"""What is written to people about their own account."""

from __future__ import annotations

from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from statusapp.domain.enums import Severity
from statusapp.domain.messages import Message


def password_message(
    public_url: str, path: str, expires_at: datetime, zone: ZoneInfo, batch: str, is_invitation: bool
) -> Message:
    """The mail with a link by which a password is set.

    Args:
        public_url: the address of this installation, without a slash at its end.
        batch: what this message is known by.
        is_invitation: whether the account has not had a password yet.
    """
    local = expires_at.astimezone(zone)
    until, link = f"{local:%-d %B %Y, %H:%M} {local.tzname()}", f"{public_url}{path}"
    if is_invitation:
        title = f"Your account at {public_url}"
        first, last = "An account was made for you. Choose its password here:", ""
    else:
        title = f"Set a new password at {public_url}"
        first = "Somebody, probably you, asked for a new password of your account. Set it here:"
        last = "If it was not you, there is nothing to do: your password stays as it is."
    works = f"The link works once, until {until}."
    text = "\n\n".join(part for part in (first, link, works, last) if part)
    paragraphs = (escape(first), f'<a href="{escape(link)}">{escape(link)}</a>', escape(works), escape(last))
    html = "".join(f"<p>{part}</p>" for part in paragraphs if part)
    page = f"<!doctype html><html><body>{html}</body></html>"
    return Message(batch, title, text, page, text, Severity.INFO, True, ())
