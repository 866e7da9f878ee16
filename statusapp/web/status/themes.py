"""The operator's colours and logo as files of their own: pages have no styles inside, and browsers keep them."""

from __future__ import annotations

import base64
import hashlib

from statusapp.domain.colors import DARK_SURFACES, LIGHT_SURFACES, contrast, nearest_readable
from statusapp.queries.page_settings import PageSettings

# Which colour of the theme each of the operator's takes the place of.
VARIABLES = {
    "primary_color": "primary",
    "success_color": "operational",
    "warning_color": "degraded",
    "danger_color": "major_outage",
}
ON_PRIMARY = ("#ffffff", "#0f1419")


def theme_css(settings: PageSettings) -> str:
    """The variables that the settings change; empty when they change none.

    A colour that cannot be read on light or on dark surfaces gives way there to the nearest that can.
    """
    lines = []
    for name, variable in VARIABLES.items():
        color = getattr(settings, name)
        if color:
            light, dark = nearest_readable(color, LIGHT_SURFACES), nearest_readable(color, DARK_SURFACES)
            lines.append(f"  --{variable}: light-dark({light}, {dark});")
            if variable == "primary":
                lines.append(f"  --on-primary: light-dark({_text_on(light)}, {_text_on(dark)});")
    return ":root {\n" + "\n".join(lines) + "\n}\n" if lines else ""


def logo_file(logo: str) -> tuple[str, bytes]:
    """The media type and the content of a logo that `services/page.logo_from` made."""
    head, _, content = logo.partition(",")
    return head.removeprefix("data:").removesuffix(";base64"), base64.b64decode(content)


def version_of(content: str | bytes) -> str:
    """A short hash, for addresses that change with what they lead to."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()[:16]


def _text_on(color: str) -> str:
    return max(ON_PRIMARY, key=lambda text: contrast(text, color))
