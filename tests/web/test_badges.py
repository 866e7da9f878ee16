"""Badges: what they say, that it fits, what they refuse, and what they keep to themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

from statusapp.database import write_transaction
from statusapp.domain.blocks import DAY_S, HOUR_S, floor_to
from statusapp.domain.colors import ENOUGH, contrast
from statusapp.domain.enums import Outcome, Status
from statusapp.domain.instants import to_us
from statusapp.domain.web_addresses import HEARTBEAT
from statusapp.extensions import db
from statusapp.models import HealthCheck, LatencyRollup, StatusPageSettings
from statusapp.web.machine.badge_drawing import text_width
from statusapp.web.machine.badges import NEUTRAL, STATUS_COLORS

SVG = "{http://www.w3.org/2000/svg}"
KINDS = ("status", "uptime", "response-time")
MakeService = Callable[..., int]


def said(client: FlaskClient, path: str) -> tuple[str, str]:
    """Label and message of a badge."""
    data = client.get(f"/badges/{path}").json
    return data["label"], data["message"]


def test_image_and_json_say_the_same(client: FlaskClient, make_service: MakeService) -> None:
    make_service()
    data = client.get("/badges/status.json").json
    assert data == {
        "schemaVersion": 1,
        "label": "status",
        "message": "All Systems Operational",
        "color": STATUS_COLORS[Status.OPERATIONAL],
    }
    answer = client.get("/badges/status.svg")
    assert answer.content_type.startswith("image/svg+xml")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert client.get("/badges/status.svg", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    svg = ElementTree.fromstring(answer.data)
    assert svg.get("aria-label") == "status: All Systems Operational"
    assert [text.text for text in svg.iter(f"{SVG}text") if not text.get("aria-hidden")] == [
        "status",
        "All Systems Operational",
    ]


def test_the_plates_fit_their_texts(client: FlaskClient, make_service: MakeService) -> None:
    make_service()
    svg = ElementTree.fromstring(client.get("/badges/status.svg").data)
    first, second, whole = (float(rect.get("width", 0)) for rect in svg.findall(f"{SVG}g/{SVG}rect"))
    assert first + second == whole == float(svg.get("width", 0))
    assert second - text_width("All Systems Operational") == pytest.approx(12, abs=0.5)
    # What Verdana takes at 11 px, as browsers measure it.
    assert text_width("uptime") == pytest.approx(38.6, abs=0.5)
    assert text_width("iiii") < text_width("mmmm")
    assert text_width("状態") == pytest.approx(24, abs=2)
    assert text_width("e\u0301") == text_width("e")


def test_white_text_can_be_read_on_every_colour() -> None:
    for color in (*STATUS_COLORS.values(), NEUTRAL):
        assert contrast("#ffffff", color) >= ENOUGH


@pytest.mark.parametrize("status", list(Status))
def test_the_status_of_a_service_in_words_and_colour(
    client: FlaskClient, make_service: MakeService, status: Status
) -> None:
    key = make_service("Shop", status)
    data = client.get(f"/badges/services/{key}/status.json").json
    words = {Status.DEGRADED: "Degraded Performance", Status.MAINTENANCE: "Under Maintenance"}
    assert (data["label"], data["message"]) == ("Shop", words.get(status, status.name.replace("_", " ").title()))
    assert data["color"] == STATUS_COLORS[status]


def test_nothing_is_healthy_while_monitoring_is_behind(client: FlaskClient, make_service: MakeService) -> None:
    key = make_service("Shop", checked=timedelta(seconds=100))
    assert said(client, "status.json") == ("status", "Monitoring Is Behind")
    assert said(client, f"services/{key}/status.json") == ("Shop", "Unknown")


def test_uptime_over_each_span(
    client: FlaskClient, make_service: MakeService, add_interval: Callable[..., None], now: datetime
) -> None:
    key = make_service("Shop", since=timedelta(hours=6))
    add_interval(key, Status.MAJOR_OUTAGE, now - timedelta(hours=12), now - timedelta(hours=6))
    add_interval(key, Status.OPERATIONAL, now - timedelta(hours=24), now - timedelta(hours=12))
    make_service("Other")
    make_service("Vault", Status.MAJOR_OUTAGE, is_public=False)
    label, message = said(client, f"services/{key}/uptime.json")
    assert label == "Shop uptime 24h"
    assert message in {"75.00 %", "74.99 %"}
    for span in ("24h", "7d", "30d", "90d"):
        label, message = said(client, f"services/{key}/uptime.json?span={span}")
        assert label == f"Shop uptime {span}"
        assert 70 < float(message.removesuffix(" %")) < 80
    assert said(client, "uptime.json")[1] in {"87.50 %", "87.49 %"}
    assert client.get("/badges/uptime.json").json["color"] == STATUS_COLORS[Status.MAJOR_OUTAGE]
    label, message = said(client, "uptime.json?span=90d")
    # Two days of the other service and one of this one, six hours of which were down.
    assert label == "uptime 90d"
    assert 91 < float(message.removesuffix(" %")) < 92


def test_what_is_not_known_says_so(client: FlaskClient, make_service: MakeService) -> None:
    key = make_service("New", Status.UNKNOWN, checked=None, total_us=None, ledger=False)
    beat = make_service("Beat", url=HEARTBEAT)
    paths = ("uptime", f"services/{key}/uptime", "response-time", f"services/{key}/response-time")
    for path in (*paths, f"services/{beat}/response-time"):
        for span in ("24h", "90d"):
            data = client.get(f"/badges/{path}.json?span={span}").json
            if path == "uptime":  # The heartbeat is up.
                assert data["message"] == "100 %"
            else:
                assert (data["message"], data["color"]) == ("no data", STATUS_COLORS[Status.UNKNOWN])


def test_response_time_over_each_span(client: FlaskClient, make_service: MakeService, now: datetime) -> None:
    key, other = make_service("Shop"), make_service("Other")
    vault = make_service("Vault", is_public=False)
    day = floor_to(to_us(now), DAY_S)
    hour = floor_to(to_us(now), HOUR_S)
    with write_transaction(db.session) as session:
        for owner, step, start, count, sum_us in (
            (key, HOUR_S, hour, 4, 400_000),
            (other, HOUR_S, hour, 4, 1_200_000),
            (vault, HOUR_S, hour, 4, 40_000_000),
            (key, DAY_S, day - 20 * DAY_S * 1_000_000, 8, 8_000_000),
        ):
            values = {"failures": 0, "sum_us": sum_us, "min_us": 1, "max_us": 2_000_000, "histogram": b""}
            session.add(LatencyRollup(endpoint_id=owner, step_s=step, start=start, count=count, **values))
        check = {"location": 0, "kind": 0, "error_kind": 0, "late_us": 0, "outcome": Outcome.OK}
        session.add(HealthCheck(endpoint_id=key, slot=to_us(now) - 1_000_000, total_us=100_000, **check))
    assert said(client, "response-time.json") == ("response time 24h", "0.20 s")
    assert said(client, "response-time.json?span=7d")[1] == "0.20 s"
    assert said(client, f"services/{key}/response-time.json") == ("Shop response time 24h", "0.10 s")
    assert client.get("/badges/response-time.json").json["color"] == NEUTRAL


@pytest.mark.parametrize("kind", KINDS)
def test_private_paused_and_unknown_services_are_all_alike(
    client: FlaskClient, make_service: MakeService, kind: str
) -> None:
    private, paused = make_service("Vault", is_public=False), make_service("Resting", is_enabled=False)
    for form in ("svg", "json"):
        bodies = set()
        for key in (private, paused, 99_999):
            answer = client.get(f"/badges/services/{key}/{kind}.{form}")
            assert answer.status_code == 404
            bodies.add(answer.data)
        assert len(bodies) == 1
    assert client.get(f"/badges/{kind}.png").status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_span_is_refused_with_the_known_ones(
    client: FlaskClient, make_service: MakeService, kind: str
) -> None:
    answer = client.get(f"/badges/services/{make_service()}/{kind}.svg?span=1y")
    assert answer.status_code == 400
    assert answer.json["error"]["message"] == "The span must be one of 24h, 7d, 30d, 90d."
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_label_of_one_s_own(client: FlaskClient, make_service: MakeService) -> None:
    key = make_service("A service with a name that is much longer than anybody would put on a badge")
    hostile = '"><script>alert(1)</script>\u202e\x00\r\nx'
    answer = client.get("/badges/status.svg", query_string={"label": hostile})
    svg = ElementTree.fromstring(answer.data)
    assert svg.get("aria-label") == '"><script>alert(1)</script> x: All Systems Operational'
    assert not list(svg.iter(f"{SVG}script"))
    assert said(client, "status.json?label=%20%20") == ("status", "All Systems Operational")
    answer = client.get("/badges/status.svg", query_string={"label": "x" * 51})
    assert answer.status_code == 400
    assert answer.json["error"]["message"] == "The label can have 50 characters; this one has 51."
    label, _ = said(client, f"services/{key}/status.json")
    assert (len(label), label[-1]) == (50, "…")


def test_what_the_page_does_not_show_is_on_no_badge(client: FlaskClient, make_service: MakeService) -> None:
    key = make_service()
    with write_transaction(db.session) as session:
        session.add(StatusPageSettings(id=1, shows_uptime=False, shows_response_times=False))
    for path in ("", f"services/{key}/"):
        codes = [client.get(f"/badges/{path}{kind}.{form}").status_code for kind in KINDS for form in ("svg", "json")]
        assert codes == [200, 200, 404, 404, 404, 404]
