"""The words of messages: the product's, and the operator's own in their place."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import StringField

from statusapp.clock import utcnow
from statusapp.domain.enums import Severity, Transition
from statusapp.domain.errors import NotFound
from statusapp.domain.instants import SECOND, to_us
from statusapp.domain.messages import DEFAULTS, PLACEHOLDERS, Event, Surroundings, Texts, compose
from statusapp.services.message_texts import EDITABLE, own_texts, reset_text, set_text, texts_in_use
from statusapp.services.page import page_zone
from statusapp.web.admin.blueprint import blueprint
from statusapp.web.admin.fields import LongTextField, Storable
from statusapp.web.admin.rendering import render_admin
from statusapp.web.admin.saving import is_saved, status_of
from statusapp.web.signed_in import actor

LABELS = {
    Transition.FIRED: "Something is wrong",
    Transition.REMINDED: "It still is",
    Transition.RESOLVED: "It is over",
    Transition.FLAPPING: "It comes and goes",
    Transition.MAINTENANCE: "Planned work",
    Transition.TEST: "A test of a channel",
}


class TextForm(FlaskForm):  # type: ignore[misc]
    """The words for one kind of message."""

    title = StringField("Title", [Storable()], description="The first line; it must do alone.")
    body = LongTextField("Text", [Storable()], description="What follows it.", render_kw={"rows": 12})


@blueprint.get("/health/messagetext/")
def list_texts() -> ResponseReturnValue:
    """The words of all kinds of messages."""
    return render_admin("admin/texts.html", texts=texts_in_use(), own=own_texts(), labels_of=LABELS, editable=EDITABLE)


@blueprint.route("/health/messagetext/<word>/", methods=["GET", "POST"])
def edit_text(word: str) -> ResponseReturnValue:
    """Change the words for one kind of message, with a look at what it would say."""
    transition, now = _transition(word), utcnow()
    in_use = texts_in_use()[transition]
    form = TextForm(data={"title": in_use.title, "body": in_use.body})

    def save() -> None:
        set_text(transition, form.title.data or "", form.body.data or "", actor=actor())

    if "preview" not in request.form and is_saved(form, save):
        flash("The words were saved. The next message has them.")
        return redirect(url_for("admin.list_texts"))
    shown = Texts(form.title.data or "", form.body.data or "")
    page = render_admin(
        "admin/text.html",
        now=now,
        form=form,
        name=LABELS[transition],
        transition=transition,
        is_own=transition in own_texts(),
        placeholders=PLACEHOLDERS,
        sample=sample_of(transition, shown, now),
    )
    return page, status_of(form)


@blueprint.post("/health/messagetext/<word>/reset")
def reset_words(word: str) -> ResponseReturnValue:
    """Use the product's own words again."""
    transition = _transition(word)
    if "confirmed" not in request.form:
        return render_admin(
            "admin/confirm.html",
            question=f"{LABELS[transition]}: use the product's own words again?",
            sentences=["Your own words for it go."],
            button="Yes, use the product's",
            back=url_for("admin.edit_text", word=word),
        )
    reset_text(transition, actor=actor())
    flash("The product's own words are used again.")
    return redirect(url_for("admin.list_texts"))


def sample_of(transition: Transition, texts: Texts, now: datetime) -> str:
    """What a message with these words would say of an invented outage."""
    since = to_us(now - timedelta(minutes=12))
    data = {
        "name": "User Login",
        "kind": "down",
        "status": "major_outage",
        "found": "HTTP 502, expected 200-299",
        "since": since,
        "at": to_us(now),
        "lasted_us": 720 * SECOND,
        "affected": ["Orders"],
    }
    if transition is Transition.MAINTENANCE:
        plan = {"phase": "announced", "starts_at": to_us(now), "ends_at": to_us(now + timedelta(hours=2))}
        data |= {"name": "Update of the database", "kind": "maintenance", "status": "maintenance"} | plan
    # Of the product's own words, lines that have nothing to say are left out.
    own = {} if texts == DEFAULTS[transition] else {transition: texts}
    around = Surroundings(page_zone(), current_app.config["SETTINGS"].public_url, own)
    event = Event("sample", transition, Severity.CRITICAL, to_us(now), data)
    return compose([event], "sample", around).text


def _transition(word: str) -> Transition:
    for transition in EDITABLE:
        if transition.word == word:
            return transition
    known = ", ".join(transition.word for transition in EDITABLE)
    raise NotFound(f"There is no kind of message {word[:40]!r}; there are {known}.")
