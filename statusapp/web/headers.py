"""What every answer carries: a strict content policy, and word on whether it may be kept."""

from __future__ import annotations

from flask import Flask, Response, g, request

from statusapp.web.assets import is_current
from statusapp.web.charts import ChartScript

# No page has styles or forms of any other origin, no script but Chart.js from its one address, and none has inline
# ones: an injection finds nothing to use.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'{scripts}",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # The check of forms sent over HTTPS looks at the referrer, so it is kept within the site.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def init_app(app: Flask) -> None:
    """Add the headers to every answer of the application, errors included."""
    app.after_request(add_headers)


def add_headers(response: Response) -> Response:
    """The headers of one answer. What has not said that it may be kept is not kept anywhere."""
    response.headers.extend(SECURITY_HEADERS)
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY.format(scripts=_chart_js()))
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    if _is_hashed_file(response):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def _chart_js() -> str:
    """For a page that has charts, the address that Chart.js comes from, when that is another server's."""
    script: ChartScript | None = g.get("chart_script")
    return f" {script.address}" if script is not None and script.is_foreign else ""


def _is_hashed_file(response: Response) -> bool:
    if request.endpoint != "static" or response.status_code not in (200, 304):
        return False
    return is_current((request.view_args or {})["filename"], request.args.get("v", ""))
