"""Where a check may go: every spelling of an address that must not be reached."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statusapp.domain.addresses import refusal

METADATA = [
    "169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "fd00:ec2::254", "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::a9fe:a9fe", "169.254.1.1", "fe80::1", "fe80::1%eth0",
]  # fmt: skip
PRIVATE = [
    "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd00::1", "fc00::1",
    "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "198.18.0.1", "240.0.0.1",
]  # fmt: skip
NOWHERE = ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "::ffff:0.0.0.0"]


@pytest.mark.parametrize("address", METADATA + NOWHERE)
def test_some_addresses_are_never_checked(address: str) -> None:
    assert refusal(address, allow_private=True)
    assert refusal(address, allow_private=False)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_a_setting(address: str) -> None:
    assert refusal(address, allow_private=True) is None
    assert "ALLOW_PRIVATE_TARGETS" in str(refusal(address, allow_private=False))


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_public_addresses_are_checked(address: str) -> None:
    assert refusal(address, allow_private=False) is None


@given(st.one_of(st.text(), st.ip_addresses().map(str)), st.booleans())
def test_any_text_gets_an_answer(address: str, allow_private: bool) -> None:
    answer = refusal(address, allow_private)
    assert answer is None or answer
