"""Conditions: what is accepted and what is said when not, the verdicts, and properties on any text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statusapp.domain.conditions import OPERATORS, InvalidCondition, parse_condition
from statusapp.domain.observations import Observation, judge

BODY = {
    "data": {"items": [{"id": 7}, {"id": "8"}]},
    "items": [1, 2],
    "ok": True,
    "nothing": None,
    "name": "john doe",
    "price": 1.5,
}


def verdict(text: str, **facts: Any) -> tuple[bool, str]:
    """Whether a condition holds, and the value it shows."""
    observed = Observation(**{"status_code": 200, "total_us": 300_000, "body": json.dumps(BODY).encode()} | facts)
    ((found),) = judge([(parse_condition(text), False)], observed)
    return found.passed, found.found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[STATUS] == any(200, 429)", "200"),
        ("[STATUS]==200", "200"),
        ("[STATUS] != 500", "200"),
        ("[RESPONSE_TIME] < 500", "300.0ms"),
        ("[RESPONSE_TIME] <= 0.3s", "300.0ms"),
        ("[RESPONSE_TIME] > 0.1", "300.0ms"),
        ("[BODY].data.items[0].id == 7", "7"),
        ("[BODY].data.items[1].id == 8", "8"),
        ("[BODY].price >= 1.5", "1.5"),
        ("[BODY].name == john doe", "john doe"),
        ('[BODY].name == "john doe"', "john doe"),
        ("[BODY].name == pat(john*)", "john doe"),
        ("[BODY].name != pat(john)", "john doe"),
        ("[BODY].name == re(^j.*e$)", "john doe"),
        ("[BODY].name == any(jane, pat(*doe))", "john doe"),
        ("[BODY].ok == true", "true"),
        ("[BODY].nothing == null", "null"),
        ("len([BODY].items) > 0", "2"),
        ("len([BODY]) == 6", "6"),
        ("has([BODY].error) == false", "false"),
        ("has([BODY].nothing) == true", "true"),
    ],
)
def test_what_holds(text: str, found: str) -> None:
    assert verdict(text) == (True, found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[STATUS] == 404", "200"),
        ("[STATUS] == any(404, 500)", "200"),
        ("[RESPONSE_TIME] < 100ms", "300.0ms"),
        ("[BODY].error == 1", "not there"),
        ("[BODY].error != 1", "not there"),
        ("[BODY].items[2] == 3", "not there"),
        ("[BODY].name.first == john", "not there"),
        ("[BODY].name < 5", "john doe"),
        ("[BODY].ok > 0", "true"),
        ("[BODY].ok == 1", "true"),
        ("[HEADER].x-version == 2", "not there"),
        ("[DNS_RCODE] == NOERROR", "not there"),
        ("len([BODY].price) > 0", "not there"),
        ("has([BODY].ok) == false", "true"),
    ],
)
def test_what_does_not_hold_shows_what_was_found(text: str, found: str) -> None:
    assert verdict(text) == (False, found)


def test_headers_certificates_and_answers() -> None:
    assert verdict("[HEADER].X-Version == 2", headers={"x-version": "2"}) == (True, "2")
    assert verdict("[CERTIFICATE_EXPIRATION] > 48h", certificate_expires_in_ms=49 * 3_600_000.0) == (True, "49.0h")
    assert verdict("[CERTIFICATE_EXPIRATION] > 14d", certificate_expires_in_ms=49 * 3_600_000.0) == (False, "49.0h")
    assert verdict("[DNS_RCODE] == NXDOMAIN", dns_rcode="NXDOMAIN") == (True, "NXDOMAIN")
    assert verdict("[IP] == pat(127.*)", peer="127.0.0.1") == (True, "127.0.0.1")
    assert verdict("[CONNECTED] == true", connected=True) == (True, "true")


def test_a_body_that_is_no_json() -> None:
    assert verdict("[BODY] == pat(*fine*)", body=b"all is fine\nhere")[0]
    assert verdict("[BODY] == re(is f..e)", body=b"all is fine")[0]
    assert verdict("[BODY].a == 1", body=b"{") == (False, "not there")
    assert verdict("len([BODY]) == 3", body=b"abc") == (True, "3")
    assert verdict("[BODY] == pat(*\ufffd*)", body=b"\xff\xfe")[0]
    assert verdict("[BODY] == x", body=b"y" * 1000) == (False, "y" * 99 + "…")
    assert verdict("[BODY].s == pat(a*)", body=b'{"s": "a\\ud800"}')[0]
    assert verdict("[BODY].a == 1", body=b"[" * 100_000) == (False, "not there")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "must begin with a placeholder"),
        ("status == 200", "must begin with a placeholder"),
        ("[NONSENSE] == 1", "[NONSENSE] is not known"),
        ("[STATUS]", "one of == != <= >= < > is needed"),
        ("[STATUS] = 200", "one of =="),
        ("[STATUS] == ", 'the empty text is written ""'),
        ("[STATUS] < soon", "compares numbers and durations"),
        ("[STATUS].code == 1", "has no parts"),
        ("[HEADER] == 1", "a header is named as in"),
        ("[BODY]..a == 1", "is not a path"),
        ("[BODY] == re((a)", "missing )"),
        ("[BODY] == re((?=a))", "invalid perl operator"),
        ("[BODY] == re((a{1000}){1000})", "invalid repetition size"),
        ('[BODY] == "half', "not a text in quotes"),
        ("[BODY] == any(1, any(2))", "cannot stand inside"),
        ("has([BODY].a) == 1", "true or false"),
        ("[CERTIFICATE_EXPIRATION] > 48", "a duration such as 48h"),
        ("[STATUS] == " + "9" * 1000, "at most 1000 characters"),
        ("[STATUS] == " + "9" * 900 + ".5", "too large"),
    ],
)
def test_what_is_refused_and_why(text: str, reason: str) -> None:
    with pytest.raises(InvalidCondition) as raised:
        parse_condition(text)
    assert reason in str(raised.value)


PIECES = st.sampled_from(
    ["[STATUS]", "[BODY]", "[HEADER].a", "len(", "has(", ")", " ", ".a", "[0]", ",", '"', "\\", "any(", "pat(", "re(",
     "*", "1", "-0.5", "0.0000001", "10s", "true", "null", "ä", "\ud800", "\0", "[", *OPERATORS]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(PIECES, max_size=12).map("".join)))
def test_any_text_is_a_condition_of_its_own_form_or_refused(text: str) -> None:
    try:
        condition = parse_condition(text)
    except InvalidCondition:
        return
    assert parse_condition(str(condition)) == condition


@given(
    st.builds("{} {} {}".format, st.sampled_from(["[BODY]", "[BODY].a", "len([BODY])"]), st.sampled_from(OPERATORS),
              st.one_of(st.integers().map(str), st.text(max_size=20), st.lists(PIECES, max_size=6).map("".join))),
    st.one_of(st.none(), st.binary(max_size=50), st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    ).map(lambda value: json.dumps(value).encode())),
)  # fmt: skip
def test_judging_never_raises(text: str, body: bytes | None) -> None:
    try:
        condition = parse_condition(text)
    except InvalidCondition:
        return
    (found,) = judge([(condition, False)], Observation(body=body))
    assert isinstance(found.passed, bool)
    assert len(found.found) <= 100
