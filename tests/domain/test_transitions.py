"""Stories of `decide`: what is said of a service, since when, and by which rule."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statusapp.domain.enums import Outcome, Rule, Status
from statusapp.domain.instants import SECOND
from statusapp.domain.transitions import FLAPPING_STARTS_AT, HISTORY_BITS, decide, silenced
from statusapp.domain.values import EndpointHealth, Policy, ProbeResult, StatusChange

MINUTE = 60 * SECOND
T0 = 1_800_000_000 * SECOND
OUTCOMES = {"+": Outcome.OK, "~": Outcome.SLOW, "-": Outcome.FAILED, "!": Outcome.INTERNAL_ERROR}


@dataclass
class Story:
    """One service, checked every minute. In its text + is ok, ~ slow, - failed, ! our own trouble, . nothing."""

    policy: Policy = field(default_factory=lambda: Policy(MINUTE))
    health: EndpointHealth = field(default_factory=EndpointHealth)
    number: int = 0
    changes: list[StatusChange] = field(default_factory=list)
    retry_soon: bool = False

    def tell(self, text: str, *, in_maintenance: bool = False) -> Story:
        """Go on with the story."""
        for sign in text:
            started = at(self.number)
            self.number += 1
            if sign == ".":
                continue
            decision = decide(
                self.health, ProbeResult(started, OUTCOMES[sign]), self.policy, started + SECOND,
                in_maintenance=in_maintenance,
            )  # fmt: skip
            self.health, self.retry_soon = decision.health, decision.retry_soon
            self.changes += decision.changes
        return self

    @property
    def said(self) -> list[tuple[Status, int, Rule]]:
        """Each change as status, number of the check it is dated to, rule."""
        return [(change.status, (change.started_at - T0) // MINUTE, change.rule) for change in self.changes]


def at(number: int) -> int:
    """The start of a check."""
    return T0 + number * MINUTE


UP, DOWN = Status.OPERATIONAL, Status.MAJOR_OUTAGE


def test_the_first_good_check_decides() -> None:
    assert Story().tell("+").said == [(UP, 0, Rule.FIRST_RESULT)]


def test_the_first_bad_check_decides_nothing_yet() -> None:
    story = Story().tell("-")
    assert story.said == []
    assert story.retry_soon


def test_a_blip_says_nothing() -> None:
    assert Story().tell("+++-++--+++").said == [(UP, 0, Rule.FIRST_RESULT)]


def test_an_outage_is_confirmed_by_three_and_begins_at_the_first() -> None:
    story = Story().tell("++---")
    assert story.said[1:] == [(DOWN, 2, Rule.FAILED_IN_A_ROW)]
    assert not story.retry_soon


def test_without_retries_one_failure_is_an_outage() -> None:
    assert Story(Policy(MINUTE, failures_to_confirm=1)).tell("+-").said[1:] == [(DOWN, 1, Rule.FAILED_IN_A_ROW)]


def test_a_recovery_is_confirmed_by_two_and_begins_at_the_first() -> None:
    story = Story().tell("+---+")
    assert story.health.status is DOWN
    assert story.retry_soon
    assert story.tell("+").said[2:] == [(UP, 4, Rule.RECOVERED)]


def test_a_recovery_that_does_not_hold_is_none() -> None:
    assert Story().tell("+---+-+-+-").said[2:] == []


def test_retries_are_wanted_exactly_while_a_run_is_not_confirmed() -> None:
    wanted = [Story().tell(text).retry_soon for text in ("+", "+-", "+--", "+---", "+----", "+---+", "+---++")]
    assert wanted == [False, True, True, False, False, True, False]


def test_slow_is_degraded_only_in_a_run() -> None:
    assert Story().tell("+~+~~+").said[1:] == []
    story = Story().tell("+~~~")
    assert story.said[1:] == [(Status.DEGRADED, 3, Rule.SLOW_IN_A_ROW)]
    assert story.tell("+").health.status is Status.DEGRADED
    assert story.tell("+").said[2:] == [(UP, 5, Rule.FAST_AGAIN)]


def test_slow_services_go_down_and_come_back_like_others() -> None:
    assert [status for status, _, _ in Story().tell("~~~---~~").said] == [UP, Status.DEGRADED, DOWN, UP]


def test_failures_on_and_off_are_a_partial_outage_until_they_are_rare() -> None:
    story = Story().tell("+" + "-+" * FLAPPING_STARTS_AT)
    assert story.said[1:] == [(Status.PARTIAL_OUTAGE, 2 * FLAPPING_STARTS_AT - 1, Rule.ON_AND_OFF)]
    story.tell("+" * 20)
    status, _, rule = story.said[2]
    assert (status, rule) == (UP, Rule.SETTLED)
    assert (story.health.history & (1 << 20) - 1).bit_count() == 0


def test_a_partial_outage_becomes_an_outage_when_it_lasts() -> None:
    story = Story().tell("+" + "-+" * FLAPPING_STARTS_AT + "---")
    assert story.said[2:] == [(DOWN, 1 + 2 * FLAPPING_STARTS_AT, Rule.FAILED_IN_A_ROW)]


def test_an_outage_of_long_ago_is_not_flapping() -> None:
    assert Story().tell("+" + "-" * 8 + "++" + "+++-+++").said[-1] == (UP, 9, Rule.RECOVERED)


def test_our_own_trouble_changes_nothing_at_all() -> None:
    story = Story().tell("++--")
    before = story.health
    assert story.tell("!!").health == before
    assert story.tell("-").said[-1] == (DOWN, 2, Rule.FAILED_IN_A_ROW)


def test_silence_is_unknown_since_the_last_check() -> None:
    story = Story().tell("+++")
    assert silenced(story.health, at(2) + 3 * MINUTE) is None
    found = silenced(story.health, at(2) + 3 * MINUTE + 2 * SECOND)
    assert found is not None
    health, change = found
    assert (change.previous, change.status, change.started_at, change.rule) == (
        UP,
        Status.UNKNOWN,
        at(2),
        Rule.NOT_CHECKED,
    )
    assert silenced(health, at(100)) is None


def test_after_silence_the_first_check_says_both() -> None:
    story = Story().tell("+++....+")
    assert story.said[1:] == [(Status.UNKNOWN, 2, Rule.NOT_CHECKED), (UP, 7, Rule.FIRST_RESULT)]


def test_failures_before_a_silence_do_not_count_after_it() -> None:
    story = Story().tell("+--.....-")
    assert [status for status, _, _ in story.said] == [UP, Status.UNKNOWN]
    assert story.tell("--").said[-1] == (DOWN, 8, Rule.FAILED_IN_A_ROW)


def test_what_never_had_a_result_is_not_silent() -> None:
    assert silenced(EndpointHealth(), at(1000)) is None


def test_maintenance_covers_failures_and_ends_with_the_truth() -> None:
    story = Story().tell("++").tell("---", in_maintenance=True)
    assert story.said[1:] == [(Status.MAINTENANCE, 2, Rule.MAINTENANCE_STARTED)]
    assert story.tell("+").said[2:] == [(UP, 5, Rule.MAINTENANCE_ENDED)]


def test_an_outage_that_outlasts_the_maintenance_begins_after_it() -> None:
    story = Story().tell("+").tell("---", in_maintenance=True).tell("-")
    assert story.said[2:] == [(DOWN, 4, Rule.FAILED_IN_A_ROW)]


def test_a_failure_right_after_the_maintenance_is_not_known_to_be_one() -> None:
    story = Story().tell("+").tell("++", in_maintenance=True).tell("-")
    assert story.said[2:] == [(Status.UNKNOWN, 3, Rule.MAINTENANCE_ENDED)]


signs = st.text(alphabet="+~-!.", max_size=80)
policies = st.builds(Policy, st.just(MINUTE), st.integers(1, 5), st.integers(1, 4))


@given(signs, policies)
def test_changes_follow_one_another(text: str, policy: Policy) -> None:
    story = Story(policy).tell(text)
    status = Status.UNKNOWN
    for change in story.changes:
        assert change.previous is status
        assert change.status is not status
        assert T0 <= change.started_at <= at(len(text))
        status = change.status
    assert story.health.status is status
    assert 0 <= story.health.history < 1 << HISTORY_BITS


@given(signs, policies)
def test_only_a_run_of_failures_is_an_outage(text: str, policy: Policy) -> None:
    story, run = Story(policy), 0
    for sign in text:
        before = story.health
        story.tell(sign)
        run = run + 1 if sign == "-" else 0 if sign in "+~" else run
        if story.health.status is DOWN and before.status is not DOWN:
            assert run >= policy.failures_to_confirm
            assert story.health.status_since <= at(story.number - 1)


@given(signs, policies)
def test_a_good_run_always_ends_as_operational(text: str, policy: Policy) -> None:
    assert Story(policy).tell(text + "+" * 21).health.status is UP


@given(signs, policies)
def test_our_own_trouble_can_be_left_out(text: str, policy: Policy) -> None:
    assert Story(policy).tell(text.replace("!", ".")).changes == Story(policy).tell(text).changes


@given(st.lists(st.sampled_from("+~-"), max_size=60), policies)
def test_maintenance_is_never_an_outage(text: list[str], policy: Policy) -> None:
    story = Story(policy).tell("".join(text), in_maintenance=True)
    assert {change.status for change in story.changes} <= {Status.MAINTENANCE}


@pytest.mark.parametrize("confirm", [1, 2, 3, 5])
def test_retries_end_with_the_confirmation(confirm: int) -> None:
    story = Story(Policy(MINUTE, failures_to_confirm=confirm)).tell("+")
    wanted = [story.tell("-").retry_soon for _ in range(confirm + 1)]
    assert wanted == [True] * (confirm - 1) + [False, False]
