"""One sending: guarded, with an end that nothing can put off, and with an answer that holds no secret."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

from statusapp.domain.messages import Message
from statusapp.domain.web_addresses import HIDDEN
from statusapp.notifiers.kind import DeliveryError, Destination, Kind, Sending
from statusapp.notifiers.passage import Passage, guarded
from statusapp.probes.guard import Refused

logger = logging.getLogger(__name__)

LONGEST_ANSWER = 500


@dataclass(slots=True)
class _Outcome:
    """What the thread that sends has come to."""

    answer: str | None = None
    error: DeliveryError | None = None
    done: threading.Event = field(default_factory=threading.Event)


def send(kind: Kind, destination: Destination, message: Message, sending: Sending) -> str:
    """Send a message and return what the receiver said.

    A library that waits for ever, for an answer or for a name, keeps its own thread and nobody else's.

    Raises:
        DeliveryError: when it was not taken, or not within the deadline.
    """
    outcome, passage = _Outcome(), Passage(sending.guard)
    threading.Thread(
        target=_run, args=(kind, destination, message, sending, passage, outcome), name="sending", daemon=True
    ).start()
    if not outcome.done.wait(sending.deadline_s):
        passage.cut()
        raise DeliveryError(f"no answer within {sending.deadline_s:g} s")
    if outcome.error is not None:
        raise outcome.error
    return outcome.answer or ""


def scrubbed(text: str, secrets: tuple[str, ...]) -> str:
    """`text` without the secrets, in whatever form of theirs, and not too long."""
    forms = {form for secret in secrets for form in (secret, quote(secret, safe=""), quote(secret), quote_plus(secret))}
    for form in sorted((form for form in forms if form), key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_ANSWER else line[: LONGEST_ANSWER - 1] + "…"


def _run(
    kind: Kind, destination: Destination, message: Message, sending: Sending, passage: Passage, outcome: _Outcome
) -> None:
    secrets = kind.secrets(destination)
    try:
        with guarded(passage):
            outcome.answer = scrubbed(kind.send(destination, message, sending), secrets)
    except DeliveryError as error:
        outcome.error = DeliveryError(scrubbed(error.message, secrets), error.permanent, error.retry_after)
    except Refused as error:
        outcome.error = DeliveryError(str(error), permanent=True)
    except Exception as error:
        # Of a library's fault only the name is told: its text may hold anything.
        logger.warning("a channel of kind %s failed: %s", kind.name, type(error).__name__)
        outcome.error = DeliveryError(f"it could not be sent ({type(error).__name__})")
    finally:
        if passage.refused is not None and outcome.answer is None:
            outcome.error = DeliveryError(passage.refused, permanent=True)
        outcome.done.set()
