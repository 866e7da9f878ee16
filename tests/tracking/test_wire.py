"""What one end writes the other reads, and nothing else."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statusapp.tracking.fields import (
    LATEST_US,
    MAX_BYTES,
    MAX_DURATION_US,
    MAX_WEIGHT,
    METHODS,
    PROBE,
    WENT_AWAY,
    Record,
)
from statusapp.tracking.wire import MAX_DOCUMENT_BYTES, MAX_RECORDS, Batch, decode_batch, encode_batch

RECORD = Record(
    1_700_000_000_000_000, "GET", "/things/<id>", 200, 1234, 0, 56, "7", "203.0.113.0", "Firefox/128 Linux",
    "", "", "", "request-1234", 0, 1,
)  # fmt: skip


def test_the_format_is_this_one() -> None:
    document = encode_batch(Batch("shop", "web-1", 3, [RECORD], "b1"))
    assert json.loads(document) == {
        "v": 1,
        "id": "b1",
        "service": "shop",
        "host": "web-1",
        "dropped": 3,
        "records": [
            [1700000000000000, "GET", "/things/<id>", 200, 1234, 0, 56, "7", "203.0.113.0", "Firefox/128 Linux",
             "", "", "", "request-1234", 0, 1],
        ],
    }  # fmt: skip


def test_a_batch_comes_back_as_it_was() -> None:
    for count in (0, 1, MAX_RECORDS):
        batch = Batch("shop", "web-1", 3, [RECORD] * count, "b1")
        assert decode_batch(encode_batch(batch)) == batch


def test_a_big_batch_is_deflated() -> None:
    document = encode_batch(Batch("shop", "web-1", 0, [RECORD] * MAX_RECORDS))
    assert document[:1] == b"\x78"
    assert len(document) < 20_000


def test_a_batch_without_an_id_is_one() -> None:
    assert decode_batch(b'{"v":1,"service":"a","host":"b","dropped":0,"records":[]}') == Batch("a", "b", 0, [], "")


def test_flags_are_questions() -> None:
    assert RECORD._replace(flags=PROBE).is_probe
    assert RECORD._replace(flags=WENT_AWAY).went_away
    assert not RECORD.is_probe
    assert not RECORD.went_away


text = st.text(st.characters(exclude_categories=("C", "Z")), max_size=60)


@settings(max_examples=100, deadline=None)
@given(
    st.builds(
        Record,
        st.integers(0, LATEST_US),
        st.sampled_from(sorted(METHODS)),
        st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=200),
        st.just(0) | st.integers(100, 599),
        st.integers(0, MAX_DURATION_US),
        st.integers(0, MAX_BYTES),
        st.integers(0, MAX_BYTES),
        text,
        st.ip_addresses().map(str).filter(lambda address: address.isascii()),
        text,
        text,
        text,
        st.sampled_from(["", "0123456789abcdef"]),
        text,
        st.integers(0, 3),
        st.floats(1, MAX_WEIGHT),
    )
)
def test_every_record_within_the_limits_comes_back(record: Record) -> None:
    assert decode_batch(encode_batch(Batch("a", "b", 0, [record]))).records == [record]


GOOD = {"v": 1, "id": "", "service": "a", "host": "b", "dropped": 0, "records": []}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"v": 2}, "v = 1"),
        ({"v": None}, "v = 1"),
        ({"more": 1}, "no field 'more'"),
        ({"service": ""}, "service must be a text"),
        ({"service": "x" * 65}, "service must be a text"),
        ({"service": "a\0"}, "service must be a text"),
        ({"host": None}, "host must be a text"),
        ({"id": 5}, "id must be a text"),
        ({"dropped": -1}, "dropped must be a whole number"),
        ({"dropped": True}, "dropped must be a whole number"),
        ({"dropped": 1.0}, "dropped must be a whole number"),
        ({"records": {}}, "records must be a list"),
        ({"records": [[]] * 501}, "records must be a list"),
        ({"records": [None]}, "record 0 must be a list of 16 fields"),
        ({"records": [[*RECORD, 1]]}, "record 0 must be a list of 16 fields"),
    ],
)
def test_a_batch_that_is_none_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode_batch(json.dumps({**GOOD, **changes}).encode())


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"\x78nonsense",
        b"[" * 100_000,
        b'{"v":1,"dropped":' + b"9" * 5000 + b"}",
    ],
    ids=lambda value: str(value[:8]),
)
def test_rubbish_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each for a reason of its own
        decode_batch(document)


def test_what_is_too_long_before_or_after_inflating_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 1000000 bytes"):
        decode_batch(b" " * (MAX_DOCUMENT_BYTES + 1))
    bomb = zlib.compress(b" " * 20_000_000, 9)
    with pytest.raises(ValueError, match="over 1000000 bytes"):
        decode_batch(bomb)
    whole = zlib.compress(json.dumps(GOOD).encode())
    for document in (whole[:-5], whole + b"more"):
        with pytest.raises(ValueError, match="cut off"):
            decode_batch(document)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("started_us", [-1, LATEST_US + 1, 1.5, "1", None, True, [], float("nan")]),
        ("method", ["get", "", "NOSUCH", None, 1, []]),
        ("route", ["", "x" * 201, "a\0b", "a\nb", "\ud800", None, 1, []]),
        ("status", [1, 99, 600, -200, "200", 200.0, None]),
        ("duration_us", [-1, MAX_DURATION_US + 1, 1.5, None]),
        ("request_bytes", [-1, MAX_BYTES + 1, None]),
        ("response_bytes", [-1, MAX_BYTES + 1, None]),
        ("user", ["x" * 65, "\0", None, 7]),
        ("address", ["x", "203.0.113.0/24", "1" * 46, None, 1]),
        ("agent", ["x" * 61, "\x1b", None]),
        ("error_class", ["x" * 101, "\0", None]),
        ("error_message", ["x" * 301, "\n", None]),
        ("fingerprint", ["x", "0" * 15, "0" * 17, "G" * 16, None]),
        ("request_id", ["x" * 129, "\r", None]),
        ("flags", [-1, 4, None, True]),
        ("weight", [0, 0.5, MAX_WEIGHT + 1, float("nan"), float("inf"), None, "1", True]),
    ],
)
def test_a_record_that_is_none_is_refused_by_the_name_of_the_field(field: str, values: list[Any]) -> None:
    for value in values:
        document = json.dumps({**GOOD, "records": [RECORD, RECORD._replace(**{field: value})]}).encode()
        with pytest.raises(ValueError, match=rf"record 1: .*\b{field}\b"):
            decode_batch(document)


@settings(max_examples=100, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20), st.integers(0, 15))  # fmt: skip  # noqa: E501
def test_whatever_a_field_is_decoding_gives_a_batch_or_a_value_error(value: Any, place: int) -> None:
    row = list(RECORD)
    row[place] = value
    try:
        batch = decode_batch(json.dumps({**GOOD, "records": [row]}).encode())
    except ValueError:
        return
    assert encode_batch(batch)
