"""One run: each channel is told, in one message, what it has not been told yet.

The marks are set after the message was taken, so a crash in between repeats it and loses nothing. Of several processes
one has the turn; a turn ends by itself.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.reminders.due import find_due
from counterseal.authority.reminders.mail import send_mail
from counterseal.authority.reminders.message import Message, reminder, trial
from counterseal.authority.reminders.webhook import send_webhook
from counterseal.errors import CountersealError
from counterseal.moments import epoch
from counterseal.pki.pem import encode_certificates
from counterseal.pki.subject import common_name, show_subject
from counterseal.store.reminders import end_turn, reminder_marks, set_reminder_marks, take_turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.authority.parts import Authority
    from counterseal.authority.reminders.settings import ReminderSettings

TURN_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one channel: of how many ends it was told, and why it, or some of its receivers, was not."""

    channel: str
    count: int = 0
    error: CountersealError | None = None


def send_reminders(authority: Authority, settings: ReminderSettings) -> tuple[Sent, ...]:
    """Tell every channel; one that fails leaves the others, and is told the next time.

    A mail that was taken for some is done: who was refused is named, and the others do not get it again.
    """
    return tuple(_remind(authority, settings, name, send) for name, send in _channels(settings).items())


def send_trial(authority: Authority, settings: ReminderSettings) -> tuple[Sent, ...]:
    """Send every channel a message that says no more than that it arrives."""
    message, tls = trial(authority.clock(), _source(authority)), _context(authority)
    return tuple(_try(name, send, message, tls, 0) for name, send in _channels(settings).items())


def next_messages(authority: Authority, settings: ReminderSettings) -> dict[str, Message | None]:
    """Return what ``send_reminders`` would send by each channel, None where nothing is due; nothing is changed."""
    messages: dict[str, Message | None] = {}
    for channel in settings.channels:
        due = find_due(authority, settings.before, reminder_marks(authority.store, channel))
        messages[channel] = reminder(due, _source(authority)) if due.count else None
    return messages


def _channels(settings: ReminderSettings) -> dict[str, Callable[[Message, ssl.SSLContext], None]]:
    channels: dict[str, Callable[[Message, ssl.SSLContext], None]] = {}
    if settings.webhook is not None:
        channels["webhook"] = partial(send_webhook, settings.webhook)
    if settings.mail is not None:
        channels["mail"] = partial(send_mail, settings.mail)
    return channels


def _remind(
    authority: Authority, settings: ReminderSettings, channel: str, send: Callable[[Message, ssl.SSLContext], None]
) -> Sent:
    store, at = authority.store, epoch(authority.clock())
    if not take_turn(store, channel, at=at, until=at + TURN_SECONDS):
        return Sent(channel)
    try:
        due = find_due(authority, settings.before, reminder_marks(store, channel))
        sent = Sent(channel)
        if due.count:
            sent = _try(channel, send, reminder(due, _source(authority)), _context(authority), due.count)
        if sent.error is None or sent.count:
            set_reminder_marks(store, channel, due.marks)
        return sent
    finally:
        end_turn(store, channel)


def _try(
    channel: str, send: Callable[[Message, ssl.SSLContext], None], message: Message, tls: ssl.SSLContext, count: int
) -> Sent:
    try:
        send(message, tls)
    except CountersealError as error:
        return Sent(channel, count if error.code == "reminder.mail_refused" else 0, error)
    return Sent(channel, count)


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
