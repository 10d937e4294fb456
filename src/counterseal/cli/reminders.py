"""``counterseal reminders``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from counterseal.cli.common import Commands, Run, common
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.authority.reminders.send import Sent
    from counterseal.authority.reminders.settings import ReminderSettings

_EXAMPLE = """\
write into counterseal.toml, and see docs/guides/operate.md:
[reminders.mail]
to = ["admin@example.com"]"""


@click.group(cls=Commands, epilog="\b\nExamples:\n  counterseal reminders test\n  counterseal reminders show")
def reminders() -> None:
    """Be told by mail or webhook before something ends."""


@reminders.command(epilog="\b\nExamples:\n  counterseal reminders test")
@dry_run_option
@common
def test(run: Run, *, dry_run: bool) -> int:
    """Send a test message every way that counterseal.toml names."""
    from counterseal.authority.reminders.send import send_trial  # noqa: PLC0415 - mail and TLS only where used

    settings = _settings(run)
    if dry_run:
        acts = [f"send a test message by {name} to {_receiver(settings, name)}" for name in settings.channels]
        show_dry_run(run, acts=acts)
        return 0
    with run.authority() as authority:
        sent = send_trial(authority, settings)
    show_failures(run, sent)
    lines = [f"{one.channel}: taken by {_receiver(settings, one.channel)}" for one in sent if one.error is None]
    run.show({"sent": sent_document(sent)}, "\n".join(lines) or "nothing was sent")
    return 1 if any(one.error for one in sent) else 0


@reminders.command(epilog="\b\nExamples:\n  counterseal reminders show")
@common
def show(run: Run) -> None:
    """Show the message that would be sent next; nothing is sent."""
    from counterseal.authority.reminders.send import next_messages  # noqa: PLC0415 - same

    settings = _settings(run)
    with run.authority() as authority:
        messages = next_messages(authority, settings)
    document = {name: None if one is None else one.document for name, one in messages.items()}
    texts = [f"{name}: {'nothing is due' if one is None else one.subject}" for name, one in messages.items()]
    first = next((one for one in messages.values() if one is not None), None)
    run.show({"next": document}, "\n".join(texts) + (f"\n\n{first.text}" if first else ""))


def sent_document(sent: Sequence[Sent]) -> list[dict[str, Any]]:
    """Return what became of each channel, for JSON."""
    return [
        {"channel": one.channel, "count": one.count, "error": one.error.code if one.error else None} for one in sent
    ]


def show_failures(run: Run, sent: Sequence[Sent]) -> None:
    """Say on stderr which channels failed, and why."""
    for one in sent:
        if one.error is not None:
            run.tell(f"error: {one.error.message}", *([f"hint: {one.error.hint}"] if one.error.hint else []))


def _settings(run: Run) -> ReminderSettings:
    settings = run.settings().reminders
    if not settings.channels:
        raise InputError("reminder.nobody", "nobody is to be reminded: there is no way to send to", hint=_EXAMPLE)
    return settings


def _receiver(settings: ReminderSettings, channel: str) -> str:
    if channel == "webhook" and settings.webhook is not None:
        return settings.webhook.shown
    assert settings.mail is not None  # noqa: S101 - there are two ways
    return f"{settings.mail.host}:{settings.mail.port} for {', '.join(settings.mail.to)}"
