"""The verdict on an answer: its status code, its conditions, its time."""

from __future__ import annotations

from collections.abc import Iterable

from statusapp.domain.enums import ErrorKind, Outcome
from statusapp.domain.observations import Observation, Verdict, judge
from statusapp.domain.status_codes import parse_status_codes
from statusapp.domain.values import Expectations, ProbeResult

HIDDEN = "***"
# Shorter texts occur by chance, and hiding them would tell where.
SHORTEST_SECRET = 4


def assess(result: ProbeResult, observation: Observation, expected: Expectations) -> None:
    """Write into `result` what an answer that has arrived amounts to.

    A condition on [STATUS] takes the place of the list of codes, so that the two cannot contradict one another.
    """
    asks_status = any(condition.subject.placeholder == "STATUS" for condition, _ in expected.conditions)
    code = result.status_code
    if code is not None and not asks_status and code not in parse_status_codes(expected.status_codes):
        _fail(result, ErrorKind.STATUS_CODE, f"HTTP {code}, expected {expected.status_codes}")
    if expected.conditions:
        verdicts = judge(expected.conditions, observation)
        result.detail = {**(result.detail or {}), "conditions": [_as_data(verdict) for verdict in verdicts]}
        _apply(result, verdicts)
    if result.outcome is Outcome.OK and expected.slow_us is not None and result.total_us > expected.slow_us:
        result.outcome = Outcome.SLOW
        result.error = f"slow: {result.total_us / 1e6:.3f} s, the threshold is {expected.slow_us / 1e6:g} s"


def scrub(text: str, secrets: Iterable[str]) -> str:
    """`text` without any of the secrets."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, HIDDEN)
    return text


def scrub_result(result: ProbeResult, secrets: tuple[str, ...]) -> None:
    """Take the secrets out of everything in a result that people will read, and what no database can store."""

    def scrubbed(text: str) -> str:
        return scrub(text, secrets).replace("\0", "\ufffd")

    if result.error is not None:
        result.error = scrubbed(result.error)
    for found in (result.detail or {}).get("conditions", ()):
        found["condition"], found["found"] = scrubbed(found["condition"]), scrubbed(found["found"])


def _apply(result: ProbeResult, verdicts: list[Verdict]) -> None:
    bad = [verdict for verdict in verdicts if not verdict.passed]
    fails = [verdict for verdict in bad if not verdict.degrades]
    if result.outcome is not Outcome.OK or not bad:
        return
    message = "; ".join(f"{verdict.condition} (found {verdict.found})" for verdict in fails or bad)
    if fails:
        _fail(result, ErrorKind.CONDITION, message)
    else:
        result.outcome, result.error_kind, result.error = Outcome.SLOW, ErrorKind.CONDITION, message


def _as_data(verdict: Verdict) -> dict[str, object]:
    return {
        "condition": verdict.condition,
        "passed": verdict.passed,
        "found": verdict.found,
        "degrades": verdict.degrades,
    }


def _fail(result: ProbeResult, kind: ErrorKind, message: str) -> None:
    result.outcome, result.error_kind, result.error = Outcome.FAILED, kind, message
