"""The list of services, and what is done with many of them at once."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select

from statusapp.database import write_transaction
from statusapp.domain.enums import Status
from statusapp.domain.instants import to_us
from statusapp.extensions import db
from statusapp.models import (
    EndpointDependency,
    EndpointState,
    EndpointTag,
    ServiceEndpoint,
    ServiceGroup,
)
from statusapp.services.endpoint_drafts import EndpointDraft
from statusapp.services.endpoints import create_endpoint, create_endpoints
from tests.web.conftest import MakeService, Operator

LIST = "/admin/health/serviceendpoint/"
ADD = f"{LIST}add/"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """On both: what a list shows and what goes with a service is the database's."""
    return str(request.param)


def names_in(page: str) -> list[str]:
    """The services of a list, in its order."""
    return [part.split("</a>")[0].split(">")[-1] for part in page.split('class="name"')[1:]]


def plant(names: list[str], now: datetime) -> None:
    """Many services in one go."""
    columns = {"url": "http://127.0.0.1:1/", "is_enabled": True, "is_public": True, "is_muted": False}
    with write_transaction(db.session) as session:
        made = insert(ServiceEndpoint).returning(ServiceEndpoint.id)
        rows = [{"name": name, "created_at": now, "updated_at": now, **columns} for name in names]
        ids = session.scalars(made, rows).all()
        session.execute(
            insert(EndpointState), [{"endpoint_id": key, "status": Status.UNKNOWN, "status_since": 0} for key in ids]
        )


def statements(operator: Operator, path: str) -> int:
    """How many statements a page takes."""
    seen: list[str] = []

    def note(*arguments: Any) -> None:
        seen.append(arguments[2])

    event.listen(db.engine, "before_cursor_execute", note)
    operator.get(path)
    event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)


def endpoint(name: str = "Shop") -> ServiceEndpoint:
    """The service as it is in the database now."""
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(select(ServiceEndpoint).where(ServiceEndpoint.name == name)).one()


def test_an_empty_list_says_what_to_do(operator: Operator) -> None:
    page = operator.get(LIST).text
    assert "something that is checked again and again" in page
    assert f'href="{ADD}">Add a service' in page


def test_the_list_is_searched_filtered_and_sorted(operator: Operator, make_service: MakeService, now: datetime) -> None:
    make_service("Beta", Status.MAJOR_OUTAGE, url="tcp://beta.example.org:5432", interval_s=30)
    make_service("alpha", url="http://10_0.example.org/", is_public=False)
    muted = make_service("Gamma", url="http://g.example.org/", is_muted=True, muted_until=to_us(now) + 10**9)
    make_service("Paused", Status.UNKNOWN, is_enabled=False, checked=None)
    make_service("Silent", checked=timedelta(days=1))
    with write_transaction(db.session) as session:
        session.add(EndpointTag(endpoint_id=muted, tag="Edge"))
        group = ServiceGroup(name="Shop", position=0)
        session.add(group)
        session.flush()
        session.get_one(ServiceEndpoint, muted).group_id = group.id
        group_id = group.id
    asked = {
        "": ["alpha", "Beta", "Gamma", "Paused", "Silent"],
        "sort=-name": ["Silent", "Paused", "Gamma", "Beta", "alpha"],
        "sort=interval": ["Beta", "alpha", "Gamma", "Paused", "Silent"],
        "q=EDGE": ["Gamma"],
        "q=10_0": ["alpha"],
        "q=1_0.": [],
        "status=major_outage": ["Beta"],
        "status=unknown": ["Paused", "Silent"],
        "status=operational": ["alpha", "Gamma"],
        "state=paused": ["Paused"],
        "state=muted": ["Gamma"],
        "kind=tcp": ["Beta"],
        f"group={group_id}": ["Gamma"],
        "group=none": ["alpha", "Beta", "Paused", "Silent"],
        "tag=Edge": ["Gamma"],
        "public=no": ["alpha"],
        "public=no&kind=tcp": [],
    }
    found = {query: names_in(operator.get(f"{LIST}?{query}").text) for query in asked}
    assert found == asked
    assert "Remove Status: Major Outage" in operator.get(f"{LIST}?status=major_outage").text
    assert "Nothing here fits" in operator.get(f"{LIST}?q=1_0.").text


UNKNOWN = [
    ("sort=colour", "it can be by: name, status"),
    ("status=green", "unknown, operational, degraded"),
    ("state=asleep", "enabled, paused, muted"),
    ("colour=green", "it knows"),
    ("format=xml", "csv"),
    ("after=nonsense", "begin with the first page"),
    ("after=WzFd", "begin with the first page"),
    ("after=WyJhIiwxLjVd", "begin with the first page"),
    ("q=a%00b", "too long, or holds a character"),
]


def test_what_the_list_does_not_have_is_a_clear_400(operator: Operator) -> None:
    for query, words in UNKNOWN:
        answer = operator.get(f"{LIST}?{query}")
        assert answer.status_code == 400, query
        assert words in answer.text


def test_pages_go_forth_and_back_over_the_edge(operator: Operator, now: datetime) -> None:
    names = [f"Service {number:03}" for number in range(120)]
    plant(names, now)
    for sort, expected in (("name", names), ("-interval", names[::-1])):
        page = operator.get(f"{LIST}?sort={sort}").text
        seen = [names_in(page)]
        while 'rel="next"' in page:
            page = operator.get(link(page, "next")).text
            seen.append(names_in(page))
        assert [len(rows) for rows in seen] == [50, 50, 20]
        assert [name for rows in seen for name in rows] == expected
        page = operator.get(link(page, "prev")).text
        assert names_in(page) == seen[1]
        page = operator.get(link(page, "prev")).text
        assert names_in(page) == seen[0]
        assert 'rel="prev"' not in page


def link(page: str, rel: str) -> str:
    """Where a link of the pager leads."""
    return page.split(f'" rel="{rel}"', maxsplit=1)[0].rsplit('href="', 1)[1].replace("&amp;", "&")


def test_the_list_as_csv_has_all_rows_and_no_formulas(operator: Operator, now: datetime) -> None:
    plant([f"=cmd|{number:04}" for number in range(1001)], now)
    answer = operator.get(f"{LIST}?format=csv&q=cmd")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert answer.mimetype == "text/csv"
    assert rows[0][:2] == ["Status", "Service"]
    assert [row[1] for row in rows[1:]] == [f"'=cmd|{number:04}" for number in range(1001)]


def test_the_list_costs_the_same_number_of_statements_however_long_it_is(operator: Operator, now: datetime) -> None:

    create_endpoint(EndpointDraft("One", "http://127.0.0.1:1/", tags=("a",)), now)
    few = statements(operator, LIST)
    create_endpoints(
        [EndpointDraft(f"S{n}", "http://127.0.0.1:1/", tags=("a", "b"), group="G") for n in range(60)], now
    )
    db.session.rollback()
    assert statements(operator, LIST) == few


# Many at once


def test_bulk_actions_name_what_they_are_for_and_do_it(operator: Operator, now: datetime) -> None:
    ids = create_endpoints([EndpointDraft(name, "http://127.0.0.1:1/") for name in ("One", "Two", "Three")], now)
    chosen = [str(ids[0]), str(ids[1])]

    def bulk(action: str, **data: Any) -> Any:
        return operator.post(f"{LIST}bulk/", {"ids": chosen, "action": action, **data}, follow_redirects=True)

    page = bulk("disable").text
    assert "Pause these services?" in page
    assert "One" in page
    assert "Three" not in page
    assert endpoint("One").is_enabled
    assert "2 services are paused" in bulk("disable", confirmed="1").text
    assert [endpoint(name).is_enabled for name in ("One", "Two", "Three")] == [False, False, True]
    assert "2 services are checked again" in bulk("enable", confirmed="1").text
    bulk("mute", confirmed="1", how="for-a-time", span="2 h")
    row = endpoint("One")
    assert row.is_muted
    assert 7000 < (row.muted_until or 0) / 1e6 - now.timestamp() < 7300
    bulk("mute", confirmed="1", how="unmute", span="")
    assert not endpoint("One").is_muted
    bulk("group", confirmed="1", group="Front")
    assert [endpoint(name).group_id is None for name in ("One", "Two", "Three")] == [False, False, True]
    bulk("interval", confirmed="1", interval="30 s")
    assert [endpoint(name).interval_s for name in ("One", "Two", "Three")] == [30, 30, 300]
    assert "2 services are being checked" in bulk("run", confirmed="1").text


BAD_ACTIONS: list[tuple[str, dict[str, str], str]] = [
    ("interval", {"interval": "8 s"}, "longer than the timeout, which it is not for One"),
    ("interval", {"interval": "soon"}, "30 s, 5 min"),
    ("mute", {"how": "for-a-time", "span": ""}, "how long"),
    ("mute", {"how": "loudly"}, "Choose one of these"),
    ("group", {"group": "x" * 201}, "at most 200"),
]


def test_a_bulk_action_with_a_bad_value_changes_nothing(operator: Operator, now: datetime) -> None:
    endpoint_id = create_endpoint(EndpointDraft("One", "http://127.0.0.1:1/"), now)
    for action, data, words in BAD_ACTIONS:
        answer = operator.post(f"{LIST}bulk/", {"ids": str(endpoint_id), "action": action, "confirmed": "1", **data})
        assert answer.status_code == 400, data
        assert words in answer.text
    assert endpoint("One").interval_s == 300


def test_a_bulk_action_needs_something_ticked_and_a_known_name(operator: Operator) -> None:
    assert "Nothing is ticked" in operator.post(f"{LIST}bulk/", {"action": "disable"}).text
    assert "Nothing is ticked" in operator.post(f"{LIST}delete/", {}).text
    answer = operator.post(f"{LIST}bulk/", {"action": "explode", "ids": "1"})
    assert answer.status_code == 400
    assert "run, disable, enable" in answer.text
    assert operator.post(f"{LIST}bulk/", {"action": "run", "ids": "x"}).status_code == 400


def test_deleting_says_what_goes_and_asks_once(operator: Operator, now: datetime) -> None:
    create_endpoint(EndpointDraft("Shop", "http://127.0.0.1:1/"), now - timedelta(days=9))
    create_endpoint(EndpointDraft("Child", "http://127.0.0.1:1/", depends_on=("Shop",)), now)
    endpoint_id = endpoint().id
    page = operator.post(f"{LIST}delete/", {"ids": str(endpoint_id)}).text
    assert "10 days of history" in page
    assert "No longer depend on it: Child" in page
    assert endpoint().id == endpoint_id
    page = operator.post(f"{LIST}delete/", {"ids": str(endpoint_id), "confirmed": "1"}, follow_redirects=True).text
    assert "1 service was deleted" in page
    db.session.rollback()
    assert db.session.scalars(select(ServiceEndpoint.name)).all() == ["Child"]
    assert db.session.scalars(select(EndpointDependency.parent_id)).all() == []
