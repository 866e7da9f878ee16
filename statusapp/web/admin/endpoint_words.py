"""What the form of a service says: labels and help, and which fields stand together."""

from __future__ import annotations

HELP = {
    "name": "What people call it. It stands on the status page.",
    "url": "What is asked, as in https://example.org/health. A password in it is kept encrypted and shown as ***.",
    "method": "GET is right for nearly everything; HEAD asks for the headers alone.",
    "expected_status_codes": "Codes and spans with commas between them, as in 200-299, 401.",
    "conditions": "One a line; when one does not hold, the check has failed. As in [BODY].status == ok or "
    "[RESPONSE_TIME] < 500.",
    "degrading": "The same, but the service is only degraded when one does not hold.",
    "slow_ms": "An answer that takes longer is slow, and a service that is slow again and again is degraded. Left "
    "empty, nothing is slow.",
    "interval_s": "How often it is checked, from 5 s to 1 day.",
    "timeout_ms": "How long the whole answer may take. Shorter than the interval.",
    "retries": "How often a failed check is tried again, at once, before the service counts as down. With 2 it takes "
    "three failures in a row.",
    "successes": "How many good checks in a row end an outage.",
    "group": "The heading on the page that it stands under. A new name makes a new group; empty is no group.",
    "tags": "Words to find it by, and for channels to choose by, with commas between them.",
    "depends_on": "Names of other services that it needs, one a line. While one of them is down nobody is "
    "alerted about this one.",
    "description": "One line under the name on its own page.",
    "position": "A smaller number stands further up within its group.",
    "is_public": "Without it only operators see the service.",
    "shows_url": "Otherwise only operators see the address.",
    "headers": "One a line, as in Accept: application/json. They are kept encrypted and never shown again.",
    "body": "What is sent with POST, PUT or PATCH. It is kept encrypted and never shown again.",
    "period": "The longest time between two pings, as in 1 h or 1 d.",
    "grace": "How late a ping may be, and how long a job that has said it began may run.",
}
LABELS = {
    "headers": "Headers", "body": "Body", "body_type": "Kind of body", "username": "User name", "password": "Password",
    "bearer_token": "Bearer token", "oauth_token_url": "OAuth token address", "oauth_client_id": "OAuth client id",
    "oauth_client_secret": "OAuth client secret", "oauth_scope": "OAuth scope", "follow_redirects": "Redirects",
    "ip_version": "Addresses", "proxy": "Proxy", "verify_tls": "The certificate must be valid",
    "ca_certificate": "Authority's certificate", "client_certificate": "Client certificate", "client_key": "Client key",
    "http_version": "HTTP version", "send": "Send", "expect": "Expect", "server_name": "Server name",
    "degraded_days": "Degraded from (days)", "verify": "The certificate must be trusted", "record_type": "Record type",
    "resolver": "Resolver", "period": "A ping every", "cron": "Cron expression", "time_zone": "Time zone of that",
    "grace": "May be late by",
}  # fmt: skip
CHOICES = {
    ("body_type", "raw"): "As it is",
    ("body_type", "json"): "JSON",
    ("body_type", "form"): "A form",
    ("ip_version", "any"): "Any",
    ("ip_version", "4"): "IPv4 only",
    ("ip_version", "6"): "IPv6 only",
    ("http_version", "auto"): "Whatever the server speaks",
}
# Fields with many lines, and how many of them are shown.
LINES = {"headers": 4, "body": 6, "ca_certificate": 4, "client_certificate": 4, "client_key": 4, "send": 2}
DURATIONS = ("period", "grace")

WHEN = ("interval_s", "timeout_ms", "retries", "successes_to_confirm")
ON_THE_PAGE = ("group", "is_public", "shows_url", "description")
RARE = ("tags", "depends_on", "position")
REQUEST = ("option_headers", "option_body_type", "option_body", "option_follow_redirects")
SIGN_IN = (
    "option_username", "option_password", "option_bearer_token", "option_oauth_token_url", "option_oauth_client_id",
    "option_oauth_client_secret", "option_oauth_scope",
)  # fmt: skip
CONNECTION = (
    "option_verify_tls", "option_ca_certificate", "option_client_certificate", "option_client_key", "option_ip_version",
    "option_proxy", "option_http_version",
)  # fmt: skip
RIGHT = ("conditions", "degrading", "slow_ms")
RIGHT_NOTE = "what an answer must hold, slow answers"
REQUEST_NOTE = "method, headers, body, redirects"
SIGN_IN_NOTE = "password, token, OAuth"
CONNECTION_NOTE = "TLS, IPv4 and IPv6, proxy"
RARE_NOTE = "tags, dependencies, position"


def label_of(option: str) -> str:
    """What people call an option."""
    return LABELS.get(option) or option.replace("_", " ").capitalize()
