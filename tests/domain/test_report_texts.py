"""The words of a daily report: what is in them, how wide they are, and what no name can do to them."""

from __future__ import annotations

import re
from copy import deepcopy
from html.parser import HTMLParser
from typing import Any

import pytest

from statusapp.domain.report_sections import count, duration, share, uptime
from statusapp.domain.report_texts import WIDTH, brief, clean, html, text, title, width_of


def service(name: str = "Shop", **values: Any) -> dict[str, Any]:
    return {
        "id": 1, "name": name, "uptime_percent": 100.0, "downtime_s": 0.0, "outages": 0, "checks": 1440, "failures": 0,
        "mean_response_s": 0.1, "p95_s": 0.15, "week_p95_s": 0.1, "unknown_s": 0.0, **values,
    }  # fmt: skip


ROUTE = {
    "service": "shop", "method": "GET", "route": "/orders/<id>", "count": 1234, "failures": 5, "error_percent": 0.405,
    "client_errors": 0, "slow": 0, "p50_s": 0.02, "p95_s": 1.25,
}  # fmt: skip
REPORT: dict[str, Any] = {
    "version": 2,
    "day": "2026-11-25",
    "time_zone": "Europe/Berlin",
    "start": "2026-11-24T23:00:00Z",
    "end": "2026-11-25T23:00:00Z",
    "is_whole": True,
    "services": [service("User Login"), service("Shop", uptime_percent=98.6111, downtime_s=1200.0, failures=20)],
    "incidents": [
        {"id": 1, "title": "Shop is down", "impact": "major", "status": "resolved", "is_public": True,
         "started_at": "2026-11-25T09:00:00Z", "resolved_at": "2026-11-25T09:20:00Z", "lasted_s": 1200.0,
         "services": ["Shop", "Till", "Stock", "Mail"]},
    ],
    "requests": {**ROUTE, "services": [{**ROUTE, "name": "shop"}], "slowest": [ROUTE], "failing": [ROUTE]},
    "hosts": [
        {"name": "web-1", "load": {"mean": 0.5, "peak": 3.25, "peak_hour": "2026-11-25T09:00:00Z"},
         **{f"{name}_percent": {"mean": 10.0, "peak": 97.5, "peak_hour": "2026-11-25T09:00:00Z"}
            for name in ("cpu", "memory", "disk")}},
    ],
    "certificates": [{"name": "Shop", "expires_at": "2026-12-01T00:00:00Z", "days_left": 5}],
    "alerts": {
        "fired": {"info": 0, "warning": 1, "critical": 2}, "unacknowledged": 2,
        "shown": [
            {"id": 3, "kind": "down", "name": "Shop", "severity": "critical", "found": "HTTP 502",
             "fired_at": "2026-11-25T09:01:00Z", "resolved_at": "2026-11-25T09:20:00Z", "lasted_s": 1200.0},
            {"id": 4, "kind": "disk", "name": "web-1", "severity": "warning", "found": "91 % of /",
             "fired_at": "2026-11-25T10:00:00Z", "resolved_at": None, "lasted_s": None},
        ],
    },
    "monitor": {
        "checks": 2880, "late_checks": 3, "worst_late_s": 7.5, "own_errors": 0, "unknown_s": 90.0,
        "unknown_services": 1, "requests_lost": 12, "requests_lost_total": 30,
        "deliveries": {"sent": 4, "waiting": 0, "failed": 1, "gave_up": 2},
        "task_errors": [{"name": "update_endpoint_uptime_task", "error": "OperationalError: database is locked",
                         "at": "2026-11-25T03:00:00Z"}],
    },
}  # fmt: skip
OLD: dict[str, Any] = {
    "day": "2026-11-20",
    "time_zone": "UTC",
    "services": [
        {"name": "Shop", "uptime_percent": 99.5, "downtime_s": 432.0, "checks": 288, "failures": 2,
         "mean_response_s": 0.12},
        {"name": "Till", "uptime_percent": None, "downtime_s": 0.0, "checks": 0, "failures": 0,
         "mean_response_s": None},
    ],
}  # fmt: skip
HOSTILE = "<script>alert(1)</script> {found} {{7*7}} {0.__class__} %s \x1b[31m\r\nBcc: x@y.z \u202egnp.exe\ud800"


class Shown(HTMLParser):
    """The text of a document, and its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        """Note it."""
        self.elements.append(tag)
        assert [name for name, _ in attrs] in ([], ["style"])
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """It closes what was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep it."""
        self.text += data


def shown(document: str) -> Shown:
    found = Shown()
    found.feed(document)
    found.close()
    assert not found.open
    return found


def poisoned(value: Any) -> Any:
    """The same report with every word in it replaced, but for days and instants."""
    if isinstance(value, dict):
        return {name: poisoned(part) for name, part in value.items()}
    if isinstance(value, list):
        return [poisoned(part) for part in value]
    if isinstance(value, str) and not re.match(r"\d{4}-", value):
        return HOSTILE
    return value


def test_the_title_says_the_day_and_whether_anything_was_down() -> None:
    assert title(REPORT) == "Daily report of 2026-11-25: 1 of 2 services down at times"
    assert title({**REPORT, "services": [service()]}) == "Daily report of 2026-11-25: no downtime"
    assert title({**REPORT, "services": []}) == "Daily report of 2026-11-25: nothing was monitored"
    nothing = {**REPORT, "services": [service(uptime_percent=None)]}
    assert title(nothing) == "Daily report of 2026-11-25: nothing known"
    so_far = {**REPORT, "is_whole": False, "end": "2026-11-25T13:05:00Z"}
    assert title(so_far) == "Report of 2026-11-25 until 14:05: 1 of 2 services down at times"


def test_the_text_begins_with_the_title_and_what_matters() -> None:
    lines = text(REPORT).splitlines()
    assert lines[0] == title(REPORT)
    assert lines[2:5] == [
        "2 services: 1 down at times, 1 not. Worst: Shop with 98.61 % (20 min down).",
        "1,234 requests with 0.41 % errors; 1 incident; 1 certificate due; 2 alerts",
        "that nobody acknowledged.",
    ]
    assert brief(REPORT).splitlines()[0] == title(REPORT)
    assert len(brief(REPORT)) < 400


@pytest.mark.parametrize(
    "words",
    [
        "Shop        98.61 %  20 min  1.39 %  150 ms  100 ms   +50 %",
        "User Login    100 %       -     0 %  150 ms  100 ms   +50 %",
        "Shop is down (Shop, Till, Stock and 1 more)  major   resolved  20 min",
        "1,234 requests, 0.41 % errors (5), p50 20 ms, p95 1,250 ms.",
        "GET /orders/<id> (shop)     1,234  0.41 %  20 ms  1,250 ms",
        "web-1  10.0 / 97.5  10.0 / 97.5  10.0 / 97.5  0.5 / 3.2    10:00",
        "Shop     2026-12-01 01:00          5",
        "3 alerts fired: 2 critical, 1 warning. Nobody acknowledged 2 of them:",
        "10:01  Shop: HTTP 502     20 min",
        "11:00  web-1: 91 % of /  goes on",
        "Checks that began more than 5 s late: 3 (worst 7.5 s).",
        "Time that nothing is known of: 1 min in 1 service.",
        "Messages: 4 sent, 0 waiting, 1 failing, 2 given up.",
        "Requests lost since the report before: 12.",
        "04:00   update_endpoint_uptime  OperationalError: database is locked",
        "This is 2026-11-25 00:00 CET to 2026-11-26 00:00 CET, with times of",
    ],
)
def test_the_text_says(words: str) -> None:
    assert words in text(REPORT)


def test_the_html_says_what_the_text_says() -> None:
    page = re.sub(r"\s", "", shown(html(REPORT)).text)
    for line in text(REPORT).splitlines()[2:]:
        for cell in re.split(r" {2,}", line.strip()):
            if cell and set(cell) != {"-"} and not cell.isupper():
                assert re.sub(r"\s", "", cell) in page, cell


def test_the_worst_comes_first_and_many_are_cut_off_with_a_word_about_the_rest() -> None:
    many = {**REPORT, "services": [service(f"S{n:03}") for n in range(300)]}
    many["services"][250] = service("Down", uptime_percent=50.0, downtime_s=43_200.0)
    many["services"][251] = service("Unseen", uptime_percent=None)
    lines = text(many).splitlines()
    first = lines.index("SERVICES") + 4
    assert [line.split()[0] for line in lines[first : first + 3]] == ["Down", "Unseen", "S000"]
    assert "and 200 services more, none of which was down" in lines
    assert sum(line.startswith("S") and line[1:4].isdigit() for line in lines) == 98
    assert "S299" in text(many, most_services=None)
    assert "more, none of which" not in text(many, most_services=None)


def test_reports_of_the_first_version_are_told_as_far_as_they_go() -> None:
    told = text(OLD)
    assert "Shop     99.50 %  7 min  0.69 %  120 ms" in told
    assert "Till           -      -       -       -" in told
    assert "2 services: 1 down at times, 0 not, nothing is known of 1." in told
    for absent in ("INCIDENTS", "ALERTS", "MONITOR", "p95"):
        assert absent not in told
    assert "Shop" in shown(html(OLD)).text
    assert title(OLD) == "Daily report of 2026-11-20: 1 of 2 services down at times"


def test_an_empty_report_says_so() -> None:
    empty = {"version": 2, "day": "2026-11-25", "time_zone": "UTC", "services": [], "incidents": [], "requests": None}
    assert "Nothing was monitored." in text(empty)
    assert "Nothing was monitored." in html(empty)


def test_no_name_becomes_markup_placeholder_or_control() -> None:
    report = {**poisoned(REPORT), "time_zone": "Europe/Berlin"}
    page = shown(html(report))
    assert set(page.elements) == {"p", "h2", "table", "tr", "th", "td", "br"}
    for told in (page.text, text(report)):
        assert "{found} {{7*7}} {0.__class__} %s" in re.sub(r"\s+", " ", told)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e\ud800-\udfff]", told)
    text(report).encode()
    assert "<script>" not in html(report)
    assert not any(line.startswith(("Bcc:", "From ")) for line in text(report).splitlines())


def test_a_zone_that_is_gone_is_utc() -> None:
    assert "00:00 UTC" in text({**REPORT, "time_zone": "Mars/../../etc/passwd", "start": "2026-11-25T00:00:00Z"})


@pytest.mark.parametrize("name", ["x" * 300, "word " * 60, "監視サービス" * 20, "e\u0301" * 100, "👩‍💻" * 50, ""])
def test_no_line_is_wider_than_78_columns(name: str) -> None:
    report = deepcopy(REPORT)
    for rows in (report["services"], report["hosts"], report["certificates"], report["alerts"]["shown"]):
        rows[0]["name"] = name
    report["services"][1]["name"] = report["incidents"][0]["title"] = name
    report["requests"]["slowest"][0] = {**ROUTE, "route": name}
    report["monitor"]["task_errors"][0]["error"] = name
    for line in text(report).splitlines():
        assert width_of(line) <= WIDTH, line


def test_columns_stand_under_each_other_whatever_the_letters() -> None:
    names = ["Shop", "監視サービス", "Cafe\u0301"]
    told = text({**REPORT, "services": [service(name) for name in names]}).splitlines()
    ends = [width_of(line) for line in told if line.startswith(tuple(names)) and line.endswith("+50 %")]
    assert len(ends) == 3
    assert len(set(ends)) == 1


def test_figures_are_not_rounded_to_a_better_one() -> None:
    assert [uptime(percent) for percent in (100.0, 99.9999, 0.0, None)] == ["100 %", "99.99 %", "0.00 %", "-"]
    assert [share(percent) for percent in (0.0, 0.001, 12.345, 100.0, None)] == [
        "0 %", "< 0.01 %", "12.35 %", "100 %", "-",
    ]  # fmt: skip
    assert [duration(seconds) for seconds in (0.0004, 0.25, 12.0, None)] == ["0 ms", "250 ms", "12.0 s", "-"]
    assert [count(number, "certificate due") for number in (1, 2)] == ["1 certificate due", "2 certificates due"]


def test_clean_keeps_what_can_be_read() -> None:
    assert clean("  Ünïcode \t 監視 \u2028 ok ") == "Ünïcode 監視 ok"
