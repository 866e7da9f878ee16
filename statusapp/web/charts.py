"""Chart.js, which browsers fetch from its CDN: pinned to one version and, by its hash, to one content."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, g

# Of dist/chart.umd.min.js of chart.js 4.6.1, as npm has it; a copy elsewhere has the same content.
INTEGRITY = "sha384-Emf5ZVIUiarAdhkgtqK+5/Z5qIvM6QoVrS+qAVtfyZVuD5lIHrac0me485+Antp0"


@dataclass(frozen=True, slots=True)
class ChartScript:
    """What static/charts.js makes the script element of. One of our own server's needs no `crossorigin`."""

    address: str
    integrity: str
    is_foreign: bool


def chart_script() -> ChartScript:
    """The script that the settings name; the policy of this request's answer allows it."""
    address: str = current_app.config["SETTINGS"].chart_js_url
    g.chart_script = ChartScript(address, INTEGRITY, address.startswith("https://"))
    return g.chart_script  # type: ignore[no-any-return]
