"""Whatever is put into an address or a body, the answer is one that helps: never a fault of ours."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from config import Settings
from statusapp.domain.enums import Role
from statusapp.extensions import db
from tests.conftest import settings_for
from tests.web.conftest import MakeService

# What no sort, filter or mark is; the bytes are sent as they are.
HOSTILE = (
    "", " ", "-", "x", "NAME", "name;", "name--", "name,id", "1 OR 1=1", "id) UNION SELECT password_hash FROM users--",
    "'; DROP TABLE service_endpoint; --", "%00", "%ff%fe", "%ED%A0%80", "\u202e", "null", "true", "[]", "{}", "-1", "0",
    "00", "1e9", "9" * 40, "1.5", "NaN", "\u0663", "2026-01-01", "2026-13-01T00:00:00Z", "9999-12-31T23:59:59+00:00",
    "1h", "-1h", "%", "*", "?", "a" * 3000,
)  # fmt: skip
MARKS = (
    [], [1], [1, 2], [1, 2, 3, 4], ["a", 1], [None, None], [[], {}], {"a": 1}, "text", 5, [10**30, 1], [1.5, 2],
    [True, False], ["\0", 1], ["x", 2**63], [-(2**63), -(2**63)], ["' OR 1=1 --", 1],
)  # fmt: skip
BODIES = (
    b"", b"{", b"[]", b"null", b"1", b'"text"', b"{} {}", b"\xff\xfe", b'{"a": 1e999}', b"[" * 5000, b'{"\\u0000": 1}',
)  # fmt: skip
VALUES = (
    None, True, -1, 0, 1.5, 10**40, "", "x", "\0", "\ud800", "a" * 30_000, [], [[]], {}, {"a": {"a": 1}}, ["x"] * 2000,
)  # fmt: skip
SECRET_NAME = "password_hash"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings under which one may ask as often as one likes."""
    return settings_for(settings.instance_path, API_REQUESTS_PER_MINUTE="1000000")


@pytest.fixture
def asks(
    client: FlaskClient, make_account: Callable[..., str], token_of: Callable[[str], str], make_service: MakeService
) -> Callable[..., Any]:
    """Ask as an owner; the answer, which is one that helps."""
    make_service("Shop")
    headers = {"Authorization": f"Bearer {token_of(make_account(role=Role.OWNER))}"}

    def ask(method: str, path: str, **options: Any) -> Any:
        answer = client.open(path, method=method, headers=headers, **options)
        what = f"{method} {path[:200]} {str(options)[:300]}: {answer.status} {answer.text[:300]}"
        assert answer.status_code < 500, what
        if answer.status_code >= 400:
            assert len(answer.json["error"]["message"]) > 8, what
            assert all(len(str(text)) > 8 for text in answer.json["error"].get("fields", {}).values()), what
        return answer

    return ask


def operations(client: FlaskClient, *methods: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each address of the document with its method and what is told of it; all that has a number has the first one."""
    document = client.get("/health/api/openapi.json").json
    for path, told in document["paths"].items():
        for method in set(methods) & set(told):
            address = path
            for name in [part.split("}")[0] for part in path.split("{")[1:]]:
                address = address.replace(f"{{{name}}}", "1" if name.endswith(("_id", "slot")) else "Shop")
            yield method.upper(), address, told[method]


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_any_argument_is_taken_or_told_what_it_may_be(client: FlaskClient, asks: Callable[..., Any]) -> None:
    chance, asked = random.Random(5), 0
    for method, path, told in operations(client, "get"):
        for parameter in told.get("parameters", []):
            if parameter["in"] != "query":
                continue
            name, choices = parameter["name"], parameter["schema"].get("enum")
            for value in chance.sample(HOSTILE, 10):
                query = f"{name}={value}" if value.startswith("%") else None
                answer = asks(method, path, query_string=query or {name: value})
                assert answer.status_code in (200, 304, 400, 404), (path, name, value)
                if answer.status_code == 400:
                    assert name in answer.json["error"]["fields"], (path, name, value, answer.text)
                if answer.status_code == 400 and choices:
                    assert str(choices[0]) in answer.json["error"]["fields"][name], (path, name, answer.text)
                asked += 1
        if any(parameter["in"] == "query" for parameter in told.get("parameters", [])):
            unknown = asks(method, path, query_string={"colour": "red"})
            assert unknown.status_code == 400, path
            assert "Known are:" in unknown.json["error"]["fields"]["colour"], path
    assert asked > 500


def test_any_mark_of_a_page_is_one_of_the_list_or_refused(client: FlaskClient, asks: Callable[..., Any]) -> None:
    chance = random.Random(3)
    lists = [
        (path, next(one["schema"]["enum"] for one in told["parameters"] if one["name"] == "sort"))
        for _, path, told in operations(client, "get")
        if any(parameter["name"] == "after" for parameter in told.get("parameters", []))
    ]
    assert len(lists) > 8
    for path, sorts in lists:
        for sort in sorts:
            for mark in chance.sample(MARKS, 6):
                answer = asks(
                    "GET", path, query_string={"sort": sort, chance.choice(("after", "before")): encoded(mark)}
                )
                assert answer.status_code in (200, 400), (path, sort, mark)
        for mark in ("x", "=", "A" * 4000, "%00", "Ww"):
            assert asks("GET", path, query_string={"after": mark}).status_code == 400, (path, mark)


def test_any_body_is_taken_or_told_what_is_wrong(client: FlaskClient, asks: Callable[..., Any]) -> None:
    chance = random.Random(4)
    schemas = client.get("/health/api/openapi.json").json["components"]["schemas"]
    asked = 0
    for method, path, told in operations(client, "post", "put", "patch"):
        content = told.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            continue
        for body in BODIES:
            answer = asks(method, path, data=body, content_type="application/json")
            assert answer.status_code < 500, (method, path, body)
        reference = content["schema"].get("$ref", "").rpartition("/")[2]
        for name in schemas.get(reference, {}).get("properties", {}):
            for value in chance.sample(VALUES, 2):
                asks(method, path, json={name: value})
                asked += 1
        unknown = asks(method, path, json={"colour": "red"})
        assert unknown.status_code in (400, 403, 404), (method, path)
    assert asked > 100


def test_sql_never_sees_a_name_from_outside(client: FlaskClient, asks: Callable[..., Any]) -> None:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        for method, path, told in operations(client, "get"):
            for parameter in told.get("parameters", []):
                if parameter["in"] == "query":
                    asks(method, path, query_string={parameter["name"]: f"zyx{SECRET_NAME}"})
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert seen
    assert not [statement for statement in seen if "zyx" in statement]
