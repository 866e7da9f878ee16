"""What a token is for, what its account's role leaves of that, and how tokens are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statusapp.domain.api_access import (
    ALPHABET,
    LEAST_ROLE,
    Prefix,
    is_allowed,
    mask_of,
    prefix_of,
    read_token,
    role_within,
    scopes_of,
    with_included,
    write_token,
)
from statusapp.domain.enums import Role, Scope

IDS = st.text(ALPHABET, min_size=16, max_size=16)
SECRETS = st.text(ALPHABET, min_size=43, max_size=43)


@pytest.mark.parametrize(
    ("scopes", "included"),
    [
        ({Scope.READ}, {Scope.READ}),
        ({Scope.WRITE}, {Scope.READ, Scope.WRITE}),
        ({Scope.ADMIN}, {Scope.READ, Scope.WRITE, Scope.ADMIN}),
        ({Scope.INGEST}, {Scope.INGEST}),
        ({Scope.INGEST, Scope.READ}, {Scope.INGEST, Scope.READ}),
        (set(), set()),
    ],
)
def test_whoever_may_write_may_read(scopes: set[Scope], included: set[Scope]) -> None:
    assert with_included(scopes) == included


@given(st.frozensets(st.sampled_from(Scope)), st.sampled_from(Role))
def test_a_token_never_acts_as_more_than_its_scopes_or_its_account(scopes: frozenset[Scope], role: Role) -> None:
    acts_as = role_within(scopes, role)
    assert acts_as <= role
    if acts_as > Role.VIEWER:
        assert acts_as in {LEAST_ROLE[scope] for scope in with_included(scopes)}
    for wanted in Scope:
        if is_allowed(scopes, role, wanted):
            assert wanted in with_included(scopes)
            assert role >= LEAST_ROLE[wanted]


@given(st.frozensets(st.sampled_from(Scope)))
def test_scopes_are_stored_as_bits(scopes: frozenset[Scope]) -> None:
    assert scopes_of(mask_of(scopes)) == scopes


@given(st.sampled_from(Prefix), IDS, SECRETS)
def test_a_token_is_read_as_it_was_written(prefix: Prefix, client_id: str, secret: str) -> None:
    token = write_token(prefix, client_id, secret)
    assert prefix_of(token) is prefix
    assert read_token(prefix, token) == (client_id if prefix is Prefix.TOKEN else "")


@given(IDS, SECRETS, st.data())
def test_one_wrong_character_is_noticed(client_id: str, secret: str, data: st.DataObject) -> None:
    token = write_token(Prefix.TOKEN, client_id, secret)
    place = data.draw(st.integers(3, len(token) - 1))
    other = data.draw(st.sampled_from(ALPHABET).filter(lambda character: character != token[place]))
    assert read_token(Prefix.TOKEN, token[:place] + other + token[place + 1 :]) is None


@given(IDS, SECRETS, st.integers(1, 60))
def test_a_part_of_a_token_is_none(client_id: str, secret: str, missing: int) -> None:
    assert read_token(Prefix.TOKEN, write_token(Prefix.TOKEN, client_id, secret)[:-missing]) is None


@given(st.text())
def test_any_text_can_be_asked_about(text: str) -> None:
    for prefix in Prefix:
        assert read_token(prefix, prefix + text) is None or prefix_of(prefix + text) is prefix


def test_a_session_s_token_that_begins_alike_is_still_one() -> None:
    assert prefix_of("sa_" + "x" * 40) is None
