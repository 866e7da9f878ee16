"""The commands about channels: made, tried, looked at, removed; secrets shown once and never again."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from statusapp.extensions import db
from tests.receivers import Answer, Hook, running_hook
from tests.services.delivering import Post
from tests.world import World


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    """Runs commands."""
    return app.test_cli_runner()


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A receiver that takes everything."""
    with running_hook() as hook:
        yield hook


def test_a_webhook_from_its_beginning_to_its_end(runner: FlaskCliRunner, hook: Hook) -> None:
    added = runner.invoke(
        args=["add_channel", "Hook", "webhook", f"{hook.address}/T0kenOfMine", "--quiet", "22:00-07:00"]
    )
    assert added.exit_code == 0
    secret = re.search(r"shown only now: (\S+)", added.output)
    assert secret
    listed = runner.invoke(args=["list_channels"]).output
    assert "quiet 22:00-07:00" in listed
    assert secret[1] not in listed
    assert "T0kenOfMine" not in listed
    tested = runner.invoke(args=["test_channel", "Hook"])
    assert (tested.exit_code, tested.output) == (0, "taken: 200 OK: ok\n")
    hook.answers = [Answer(410)]
    tested = runner.invoke(args=["test_channel", "Hook"])
    assert (tested.exit_code, tested.output) == (1, "NOT TAKEN: 410 Gone: ok\n")
    assert runner.invoke(args=["remove_channel", "Hook"]).output == "Removed Hook.\n"
    assert "no channels yet" in runner.invoke(args=["list_channels"]).output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add_channel", "Mail", "email", "nobody"], "is no e-mail address"),
        (["add_channel", "Chat", "apprise", "nonsense://x"], "Apprise knows no such address"),
        (["add_channel", "Hook", "webhook", "ftp://x"], "looks like https://"),
        (["add_channel", "Mail", "email", "a@example.org", "--group", "Nowhere"], "There is no group 'Nowhere'"),
        (["test_channel", "Nobody"], "There is no channel 'Nobody'"),
        (["remove_channel", "Nobody"], "There is no channel 'Nobody'"),
        (["show_deliveries", "--channel", "Nobody"], "There is no channel 'Nobody'"),
        (["set_message_text", "fired", "--title", "{nmae}"], "{nmae} is no placeholder. There are {name}"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(runner: FlaskCliRunner, arguments: list[str], words: str) -> None:
    result = runner.invoke(args=arguments)
    assert result.exit_code == 1
    assert words in result.output
    assert "Traceback" not in result.output


def test_deliveries_say_what_became_of_them(app: Flask, runner: FlaskCliRunner, hook: Hook) -> None:
    hook.answers = [Answer(403, body=b"who are you?")]
    post = Post(World())
    post.channel(hook.address)
    assert "Nothing has been sent yet." in runner.invoke(args=["show_deliveries"]).output
    db.session.rollback()  # A command is a process of its own; here they share what one has read.
    post.fire("Shop")
    post.after(1)
    output = runner.invoke(args=["show_deliveries", "--failed"]).output
    assert "gave_up  Hook: fired Shop - 403 Forbidden: who are you?" in output
    assert "broken since" in runner.invoke(args=["list_channels"]).output


def test_words_are_shown_changed_and_taken_back(runner: FlaskCliRunner, app: Flask) -> None:
    usual = runner.invoke(args=["set_message_text", "fired"]).output
    changed = runner.invoke(
        args=["set_message_text", "fired", "--title", "{name} {{7*7}}", "--body", "{found}\\n{link}"]
    )
    assert changed.output == "{name} {{7*7}}\n{found}\n{link}\n"
    assert runner.invoke(args=["set_message_text", "fired", "--reset"]).output == usual
