"""From the raw table ``[reminders]`` to its settings."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, cast

from counterseal.authority.reminders.settings import (
    SECURITIES,
    MailSettings,
    ReminderSettings,
    WebhookSettings,
)
from counterseal.config.faults import Faults
from counterseal.config.meant import hint_for_choice
from counterseal.duration import parse_duration
from counterseal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta
    from pathlib import Path

    from counterseal.config.raw import RawMail, RawReminders, RawWebhook

_PORTS = {"none": 25, "starttls": 587, "tls": 465}
_HERE = {"localhost", "127.0.0.1", "::1"}


def reminder_settings_of(raw: RawReminders, path: Callable[[str | None], Path | None]) -> ReminderSettings:
    """Return the settings; ``path`` makes a path relative to the configuration file absolute.

    Raises ConfigError with every fault.
    """
    faults = Faults()
    webhook, mail = raw.webhook, raw.mail
    settings = ReminderSettings(
        before=faults.attempt(lambda: _before(raw.before), (), "before"),
        webhook=None if webhook is None else faults.attempt(lambda: _webhook(webhook, path), None, "webhook.url"),
        mail=None if mail is None else faults.attempt(lambda: _mail(mail, path), None, "mail"),
    )
    faults.refuse()
    return settings


def _before(texts: list[str]) -> tuple[timedelta, ...]:
    if not texts:
        raise InputError("config.reminders", "before must name at least one length of time", hint='write ["30d", "7d"]')
    return tuple(sorted({parse_duration(text) for text in texts}))


def _webhook(raw: RawWebhook, path: Callable[[str | None], Path | None]) -> WebhookSettings:
    if not raw.url.startswith(("https://", "http://")):
        raise InputError("config.reminders", f"not an http or https URL: {raw.url!r}")
    settings = WebhookSettings(raw.url, cast("Path", path(raw.secret_file)))
    if "@" in settings.shown:
        raise InputError(
            "config.reminders",
            "a user or a password in the URL of a webhook is not sent",
            hint="write the URL without; each message is signed with what secret_file holds",
        )
    return settings


def _mail(raw: RawMail, path: Callable[[str | None], Path | None]) -> MailSettings:
    here = raw.host in _HERE
    security = raw.security or ("none" if here else "starttls")
    if security not in SECURITIES:
        hint = hint_for_choice(security, SECURITIES)
        raise InputError("config.choice", f"not a value for security: {security!r}", hint=hint)
    if (raw.username is None) != (raw.password_file is None):
        raise InputError("config.reminders", "username and password_file go together: one of them is missing")
    if raw.username is not None and security == "none" and not here:
        raise InputError(
            "config.reminders", f"a password would go to {raw.host} in the clear", hint='set security = "starttls"'
        )
    addresses = [*raw.to, *([raw.sender] if raw.sender else [])]
    for address in addresses:
        if "@" not in address or any(letter in address for letter in "\r\n,;<> "):
            raise InputError("config.reminders", f"not a mail address: {address!r}")
    if not raw.to:
        raise InputError("config.reminders", "mail must go to somebody: to is empty")
    return MailSettings(
        to=tuple(raw.to),
        sender=raw.sender or f"counterseal@{socket.getfqdn()}",
        host=raw.host,
        port=raw.port or _PORTS[security],
        security=security,
        username=raw.username,
        password_file=path(raw.password_file),
    )
