"""What stays of an error's message: words, and nothing that may be data."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statusapp.tracking.fields import MAX_ERROR_MESSAGE
from statusapp.tracking.known_texts import Known, RequestTexts, known_texts
from statusapp.tracking.scrub import CUT, scrub
from statusapp.tracking.secret_names import OPENTELEMETRY, SENTRY, name_matcher

is_secret = name_matcher()


def scrubbed(text: str, known: Known | None = None, code_names: tuple[str, ...] = ()) -> str:
    """What is kept of a message when nothing or `known` came with the request."""
    return scrub(text, known or Known(), code_names, is_secret)


@pytest.mark.parametrize(
    "text",
    [
        "division by zero",
        "list index out of range",
        "maximum recursion depth exceeded",
        "can't subtract offset-naive and offset-aware datetimes",
        "status 404 after 3.5 s",
        "Object of type Decimal is not JSON serializable",
        "failed: the connection was refused",
        "Expecting value: line 1 column 1 (char 0)",
        "Ungültige Eingabe",
        "[Errno 28] No space left on device",
    ],
)
def test_words_and_short_numbers_stay(text: str) -> None:
    assert scrubbed(text) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("invalid literal for int() with base 10: 'abc'", "invalid literal for int() with base 10: ***"),
        ("[Errno 2] No such file or directory: '/home/bob/a.txt'", "[Errno 2] No such file or directory: ***"),
        ("'<' not supported between 'str' and 'int'", "*** not supported between str and int"),
        ('he said "some words" and `more`', "he said *** and ***"),
        ("\u201cquoted\u201d and \u00abquoted\u00bb here", "*** and *** here"),
        ("'it's a secret' was said", "*** was said"),
        ("bad 'a' b' secret", "bad ***"),
        ("bad \"mixed' secret", "bad ***"),
        ("{'a': some, words} rejected", "***"),
        ("<User miller> rejected", "*** rejected"),
        ("value=miller and more", "value=***"),
        ("value = miller and more", "value =***"),
        ("value=miller, then more", "value=*** then more"),
        ("shop: Miller", "shop: ***"),
        ("shop: miller", "shop: ***"),
        ("shop: John Miller", "shop: ***"),
        ("mysql_pwd: some plain words", "mysql_pwd: ***"),
        ("password hunter is wrong", "password *** is wrong"),
        ("the password is hunter", "the password is ***"),
        ("password : hunter two", "password : ***"),
        ("sent Bearer hunter to it", "sent Bearer *** to it"),
        ("Authorization: Basic hunter", "Authorization: ***"),
        ("bob@example.com not found", "*** not found"),
        ("at https://bob:hunter@example.com/a?b=c now", "at *** now"),
        ("postgresql://bob:hunter@db/shop refused", "*** refused"),
        ("no route to 192.0.2.17 or 2001:db8::1 now", "no route to *** or *** now"),
        ("card 4111 1111 1111 1111 declined", "card *** declined"),
        ("call +49 170 1234567 now", "call *** now"),
        ("order 123456 is gone", "order *** is gone"),
        ("order AB12 is gone", "order *** is gone"),
        ("hash deadbeefcafe is gone", "hash *** is gone"),
        ("thing qWeRtYuIoP is gone", "thing *** is gone"),
        ("thing xkcdzqwvbn is gone", "thing *** is gone"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl expired", "*** expired"),
        ("correct-horse-battery-staple is wrong", "*** is wrong"),
        ("in /srv/data/miller now", "in *** now"),
        (r"in C:\data\miller now", "in *** now"),
        ("duplicate value\nDETAIL: Key (email)=(bob)", "duplicate value"),
        ("\u7528\u6237\u5f20\u4e09\u4e0d\u5b58\u5728", "***"),
        ("with \x00 and \x1b[31m control", "with *** and *** control"),
    ],
)  # fmt: skip
def test_what_may_be_data_is_cut(text: str, kept: str) -> None:
    assert scrubbed(text).replace(f"+{CUT}", CUT) == kept


def test_names_in_the_code_that_failed_are_no_data() -> None:
    text = "'NoneType' object has no attribute 'price'"
    assert scrubbed(text) == "NoneType object has no attribute ***"
    assert scrubbed(text, code_names=("price",)) == "NoneType object has no attribute price"
    assert scrubbed(text, Known(words=frozenset({"price"})), ("price",)) == "NoneType object has no attribute ***"


def test_a_message_is_cut_to_its_length() -> None:
    assert len(scrubbed("word " * 2000)) <= MAX_ERROR_MESSAGE


@pytest.mark.parametrize("name", sorted(SENTRY | OPENTELEMETRY))
def test_the_values_of_all_listed_names_are_secret(name: str) -> None:
    for spelling in (name, name.upper(), name.replace("_", "-")):
        assert is_secret(spelling)
        assert "hunter" not in scrubbed(f"bad {spelling}=hunter")
        assert "hunter" not in scrubbed(f"bad {spelling}: hunter two hunter")


@pytest.mark.parametrize("name", ["db_password", "accessToken", "Session-Key", "MY_SECRET_X"])
def test_names_that_are_put_together_are_known_too(name: str) -> None:
    assert is_secret(name)


def test_a_host_may_have_names_of_its_own() -> None:
    assert not is_secret("shoe-size")
    assert name_matcher(("shoe_size",))("Shoe-Size")


def texts(**more: object) -> RequestTexts:
    """A request with nothing but these."""
    return RequestTexts(path="/", query="", headers=(), content_type="", body=b"")._replace(**more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "request_texts",
    [
        texts(path="/users/hunter/edit"),
        texts(query="name=hunter"),
        texts(query="hunter"),
        texts(query="name=%68unter"),
        texts(headers=("hunter",)),
        texts(headers=("sessionid=hunter; other=1",)),
        texts(headers=("Basic Ym9iOmh1bnRlcg==",)),
        texts(headers=("https://example.com/search?q=hunter",)),
        texts(content_type="application/x-www-form-urlencoded", body=b"a=1&b=hunter"),
        texts(content_type="application/json; charset=utf-8", body=b'{"a": [{"b": "\\u0068unter"}]}'),
        texts(content_type="application/json", body=b'{"a": "hunter'),
        texts(content_type="multipart/form-data; boundary=x", body=b'--x\r\nContent-Disposition: form-data; '
              b'name="f"; filename="hunter"\r\n\r\n...'),
        texts(content_type="text/xml", body=b"<a><b>hunter</b></a>"),
        texts(content_type="", body=b"\xff\xfehunter\x00"),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize(
    "message", ["bad hunter here", "bad Hunter-thing here", "the hunters are here", "no_hunter here"]
)
def test_nothing_that_came_with_the_request_is_repeated(request_texts: RequestTexts, message: str) -> None:
    known = known_texts(request_texts, "/users/<name>/edit")
    kept = scrubbed(message, known, ("hunter",))
    assert "hunter" not in kept.lower()
    assert "here" in kept


def test_the_templates_own_words_and_the_names_of_fields_may_be_repeated() -> None:
    body = b'{"email": "x", "postCode": 12345}'
    known = known_texts(
        texts(path="/users/7/edit", query="page=2&size=50", content_type="application/json", body=body),
        "/users/<id>/edit",
    )
    assert scrubbed("users edit page size email is missing", known) == "users edit page size email is missing"
    assert scrubbed("no 12345 there", known) == f"no {CUT} there"


def test_short_values_are_cut_as_words() -> None:
    known = known_texts(texts(query="pin=123&word=ab"), "/")
    assert scrubbed("got 123 and ab but not 1234 or about", known) == f"got {CUT} and {CUT} but not 1234 or about"


def test_words_from_utf8_headers_are_recognised() -> None:
    header = "J\u00e4ger".encode().decode("latin-1")
    assert "ger" not in scrubbed("no J\u00e4ger there", known_texts(texts(headers=(header,)), "/"))


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_whatever_the_value_is_it_is_not_repeated(value: str, before: str, after: str) -> None:
    body = value.encode("utf-8", "surrogatepass")
    known = Known((value.strip().lower(),) if len(value.strip()) >= 4 else (), frozenset())
    kept = scrubbed(f"{before} {value} {after}", known)
    if len(value.strip()) >= 4 and value.strip().lower() not in f"{before} {after} {CUT}".lower():
        assert value.strip().lower() not in kept.lower()
    assert len(kept) <= MAX_ERROR_MESSAGE
    assert kept.isprintable()
    known_texts(texts(path=value, query=value, headers=(value,), content_type=value, body=body), "/")
