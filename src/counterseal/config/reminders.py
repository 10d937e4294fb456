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
from counterseal.duration import parse_duration
from counterseal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from counterseal.config.raw import RawMail, RawReminders, RawWebhook

_PORTS = {"none": 25, "starttls": 587, "tls": 465}
_HERE = {"localhost", "127.0.0.1", "::1"}


def reminder_settings_of(raw: RawReminders, path: Callable[[str | None], Path | None]) -> ReminderSettings:
    """Return the settings; ``path`` makes a path relative to the configuration file absolute. Raises InputError."""
    if not raw.before:
        raise InputError("config.reminders", "before must name at least one length of time", hint='write ["30d", "7d"]')
    return ReminderSettings(
        before=tuple(sorted({parse_duration(text) for text in raw.before})),
        webhook=None if raw.webhook is None else _webhook(raw.webhook, path),
        mail=None if raw.mail is None else _mail(raw.mail, path),
    )


def _webhook(raw: RawWebhook, path: Callable[[str | None], Path | None]) -> WebhookSettings:
    if not raw.url.startswith(("https://", "http://")):
        raise InputError("config.reminders", f"not an http or https URL: {raw.url!r}")
    return WebhookSettings(raw.url, cast("Path", path(raw.secret_file)))


def _mail(raw: RawMail, path: Callable[[str | None], Path | None]) -> MailSettings:
    here = raw.host in _HERE
    security = raw.security or ("none" if here else "starttls")
    if security not in SECURITIES:
        hint = f"choose one of {', '.join(SECURITIES)}"
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
