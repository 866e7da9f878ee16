"""The list of services is made once for all strangers, and never given to one as somebody who is signed in sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from config import Settings
from tests.conftest import settings_for
from tests.web.conftest import MakeService

LIST = "/health/api/endpoints/"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings under which answers are kept for a minute."""
    return settings_for(settings.instance_path, PAGE_CACHE_SECONDS="60")


@pytest.fixture
def asked(
    client: Any, make_service: MakeService, make_account: Callable[..., str], token_of: Callable[[str], str]
) -> tuple[Any, dict[str, str]]:
    """A client of an installation with a public and a private service, and the headers of its owner."""
    make_service("Shop")
    make_service("Inner", is_public=False)
    return client, {"Authorization": f"Bearer {token_of(make_account())}"}


def names(answer: Any) -> list[str]:
    return [item["name"] for item in answer.json["items"]]


def test_what_is_kept_for_strangers_is_not_for_members_and_the_other_way_round(asked: Any) -> None:
    client, owner = asked
    for _ in range(2):
        whole, public = client.get(LIST, headers=owner), client.get(LIST)
        assert (names(whole), names(public)) == (["Inner", "Shop"], ["Shop"])
        assert "private" in whole.headers["Cache-Control"]
        assert "Authorization" in whole.headers["Vary"]
    assert client.get(f"{LIST}2/", headers=owner).status_code == 200
    assert client.get(f"{LIST}2/").status_code == 404


def test_a_list_is_asked_for_again_by_its_etag(asked: Any) -> None:
    client, owner = asked
    strangers: dict[str, str] = {}
    for headers in (strangers, owner):
        first = client.get(LIST, headers=headers)
        again = client.get(LIST, headers={**headers, "If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    kept = client.get(LIST).headers["ETag"]
    assert client.get(LIST, headers={**owner, "If-None-Match": kept}).status_code == 200


def test_an_unknown_argument_is_told_whatever_is_kept(asked: Any) -> None:
    client, _ = asked
    assert client.get(LIST).status_code == 200
    for query in ("?colour=red", "?sort=nothing", "?limit=0", "?search=x"):
        assert client.get(LIST + query).status_code in (400, 401)


def test_a_change_is_seen_at_once_by_strangers(asked: Any) -> None:
    client, owner = asked
    assert names(client.get(LIST)) == ["Shop"]
    assert client.patch(f"{LIST}2/", json={"is_public": True}, headers=owner).status_code == 200
    assert names(client.get(LIST)) == ["Inner", "Shop"]
