"""Names whose values are secrets or point at a person."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

# DEFAULT_DENYLIST and DEFAULT_PII_DENYLIST of Sentry's SDK for Python (sentry_sdk/scrubber.py).
_SENTRY_NAMES = (
    "password passwd secret api_key apikey auth credentials mysql_pwd privatekey private_key token session csrftoken "
    "sessionid x_csrftoken x_forwarded_for set_cookie cookie authorization proxy_authorization x_api_key "
    "aiohttp_session connect.sid csrf_token csrf _csrf _csrf_token phpsessid _session symfony user_session _xsrf "
    "xsrf_token x_real_ip ip_address remote_addr"
)
SENTRY = frozenset(_SENTRY_NAMES.split())
# Query parameters that OpenTelemetry's semantic conventions (url.full, url.query) have redacted, now or earlier.
_OPENTELEMETRY_NAMES = (
    "awsaccesskeyid signature sig x_goog_signature x_amz_signature x_amz_credential x_amz_security_token"
)
OPENTELEMETRY = frozenset(_OPENTELEMETRY_NAMES.split())
# What else goes by a name of its own.
_OUR_NAMES = (
    "pass pwd pin otp bearer basic digest access_key jwt email mail phone tel username user login ssn iban card cvv "
    "cvc account birthday"
)
OURS = frozenset(_OUR_NAMES.split())
# A name that holds one of these is one of them, however it is put together: db_password, accessToken, sessionKey.
_INSIDE = (
    "passw",
    "secret",
    "token",
    "apikey",
    "api_key",
    "credential",
    "private",
    "session",
    "cookie",
    "csrf",
    "xsrf",
)

DENIED = SENTRY | OPENTELEMETRY | OURS


def name_matcher(more: Iterable[str] = ()) -> Callable[[str], bool]:
    """A question to names: is the value of this one a secret? Case and hyphens do not matter."""
    denied = DENIED | {_plain(name) for name in more}

    def is_secret(name: str) -> bool:
        plain = _plain(name)
        return plain in denied or any(part in plain for part in _INSIDE)

    return is_secret


def _plain(name: str) -> str:
    return re.sub(r"[\s-]", "_", name.strip().lower())
