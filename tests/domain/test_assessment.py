"""What a result says after its secrets were taken out."""

from __future__ import annotations

from statusapp.domain.assessment import scrub_result
from statusapp.domain.enums import ErrorKind, Outcome
from statusapp.domain.values import ProbeResult


def test_a_text_of_a_target_can_be_stored_by_every_database() -> None:
    result = ProbeResult(1, Outcome.FAILED, ErrorKind.CONDITION, '[BODY] == "a" (found s3cr3t-value\0)')
    result.detail = {"conditions": [{"condition": '[BODY] == "a"', "found": "s3cr3t-value\0"}]}
    scrub_result(result, ("s3cr3t-value",))
    assert result.error is not None
    (condition,) = result.detail["conditions"]
    for text in (result.error, condition["found"]):
        assert "\0" not in text
        assert "s3cr3t-value" not in text
        assert "\ufffd" in text
