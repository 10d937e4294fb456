"""One run: each receiver of each channel is told, in one message, what he has not been told yet.

The marks are set after the message was taken, so a crash in between repeats it and loses nothing. Each receiver of mail
has his own: a server may take it for one and refuse it for another, for now or for good. Of several processes one has
the turn; a turn ends by itself.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.reminders.due import Due, find_due
from counterseal.authority.reminders.mail import Refusal, refused_error, send_mail
from counterseal.authority.reminders.message import Message, reminder, trial
from counterseal.authority.reminders.webhook import send_webhook
from counterseal.errors import CountersealError
from counterseal.moments import epoch
from counterseal.pki.pem import encode_certificates
from counterseal.pki.subject import common_name, show_subject
from counterseal.store.reminders import (
    end_turn,
    reminder_marks,
    set_reminder_marks,
    share_reminder_marks,
    take_turn,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from counterseal.authority.parts import Authority
    from counterseal.authority.reminders.settings import ReminderSettings

TURN_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one channel: of how many ends it was told, and why it, or some of its receivers, was not.

    ``again``: somebody is to be tried again soon.
    """

    channel: str
    count: int = 0
    error: CountersealError | None = None
    again: bool = False


def send_reminders(authority: Authority, settings: ReminderSettings) -> tuple[Sent, ...]:
    """Tell every channel; one that fails leaves the others, and is told the next time.

    A mail that was taken for some is done for them: who was refused for now is tried again, who was refused for good is
    named only, and the others do not get it again.
    """
    return tuple(_remind(authority, settings, channel) for channel in settings.channels)


def send_trial(authority: Authority, settings: ReminderSettings) -> tuple[Sent, ...]:
    """Send every channel a message that says no more than that it arrives."""
    message, tls = trial(authority.clock(), _source(authority)), _context(authority)
    return tuple(_try(settings, channel, message, tls) for channel in settings.channels)


def next_messages(authority: Authority, settings: ReminderSettings) -> dict[str, Message | None]:
    """Return what ``send_reminders`` would send by each channel, None where nothing is due; nothing is changed.

    Where receivers are to be told different things, it is the longest of the messages.
    """
    messages: dict[str, Message | None] = {}
    for channel in settings.channels:
        due = max(_due(authority, settings, channel).values(), key=lambda one: one.count)
        messages[channel] = reminder(due, _source(authority)) if due.count else None
    return messages


def _remind(authority: Authority, settings: ReminderSettings, channel: str) -> Sent:
    store, now = authority.store, authority.clock()
    if not take_turn(store, channel, at=epoch(now), until=epoch(now) + TURN_SECONDS):
        return Sent(channel)
    try:
        if channel == "mail":
            share_reminder_marks(store, channel, [_mark_of(channel, one) for one in settings.receivers(channel)])
        return _tell(replace(authority, clock=lambda: now), settings, channel)  # all marks then reach as far
    finally:
        end_turn(store, channel)


def _tell(authority: Authority, settings: ReminderSettings, channel: str) -> Sent:
    due = _due(authority, settings, channel)
    told = [one for one in due if not due[one].count]
    _note(authority, channel, due, told)
    letters = _letters(authority, due)
    tls = _context(authority) if letters else None
    refused, count, failure = dict[str, Refusal](), 0, None
    for message, to in letters:
        assert tls is not None  # noqa: S101 - there is a letter
        try:
            not_taken = _send(settings, channel, to, message, tls)
        except CountersealError as failed:
            failure = failed
            break
        refused |= not_taken
        taken = [one for one in to if one not in not_taken]
        _note(authority, channel, due, taken)
        told += taken
        count = max([count, *(due[one].count for one in taken)])
    done = [one for one, why in refused.items() if why.is_for_good] if told else []
    _note(authority, channel, due, done)
    error = failure or _refused(settings, refused, others=bool(told))
    return Sent(channel, count, error, again=failure is not None or len(done) < len(refused))


def _due(authority: Authority, settings: ReminderSettings, channel: str) -> dict[str, Due]:
    """Return what each receiver of a channel is to be told."""
    store = authority.store
    return {
        one: find_due(
            authority, settings.before, reminder_marks(store, channel) | reminder_marks(store, _mark_of(channel, one))
        )
        for one in settings.receivers(channel)
    }


def _letters(authority: Authority, due: Mapping[str, Due]) -> Sequence[tuple[Message, list[str]]]:
    """Return the messages to be sent, each with those to whom it says what is due."""
    letters: dict[str, tuple[Message, list[str]]] = {}
    for receiver, one in due.items():
        if one.count:
            message = reminder(one, _source(authority))
            letters.setdefault(message.id, (message, []))[1].append(receiver)
    return tuple(letters.values())


def _note(authority: Authority, channel: str, due: Mapping[str, Due], receivers: Iterable[str]) -> None:
    with authority.store.transaction():
        for one in receivers:
            set_reminder_marks(authority.store, _mark_of(channel, one), due[one].marks)


def _mark_of(channel: str, receiver: str) -> str:
    """Return under what name is kept how far a receiver was told."""
    return f"{channel} {receiver}".rstrip()


def _try(settings: ReminderSettings, channel: str, message: Message, tls: ssl.SSLContext) -> Sent:
    to = settings.receivers(channel)
    try:
        refused = _send(settings, channel, to, message, tls)
    except CountersealError as error:
        return Sent(channel, 0, error)
    return Sent(channel, 0, _refused(settings, refused, others=len(refused) < len(to)))


def _send(
    settings: ReminderSettings, channel: str, to: Sequence[str], message: Message, tls: ssl.SSLContext
) -> Mapping[str, Refusal]:
    if channel == "mail" and settings.mail is not None:
        return send_mail(settings.mail, to, message, tls)
    if settings.webhook is not None:
        send_webhook(settings.webhook, message, tls)
    return {}


def _refused(settings: ReminderSettings, refused: Mapping[str, Refusal], *, others: bool) -> CountersealError | None:
    return refused_error(settings.mail, refused, others=others) if refused and settings.mail is not None else None


def _source(authority: Authority) -> str:
    """Return which CA this is, the same from every replica: what its first root calls itself."""
    root = next((one for one in authority.store.cas() if one.parent is None), None)
    subject = None if root is None else x509.load_der_x509_certificate(root.certificate).subject
    return f"CA {common_name(subject) or show_subject(subject)}" if subject is not None else "a CA without a root"


def _context(authority: Authority) -> ssl.SSLContext:
    """Return what a receiver is judged by: what this system trusts, and our own roots."""
    context = ssl.create_default_context()
    for record in authority.store.cas():
        if record.parent is None:
            root = x509.load_der_x509_certificate(record.certificate)
            context.load_verify_locations(cadata=encode_certificates(root).decode())
    return context
