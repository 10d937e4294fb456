"""What ``[reminders]`` of counterseal.toml may say, checked and frozen."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

Security = Literal["none", "starttls", "tls"]
SECURITIES: tuple[Security, ...] = ("none", "starttls", "tls")


class WebhookSettings(NamedTuple):
    """Where reminders are posted to; the file holds the secret that signs them."""

    url: str
    secret_file: Path

    @property
    def shown(self) -> str:
        """The URL as far as everybody may read it: of many services its path is the secret."""
        return "/".join(self.url.replace("?", "/").split("/")[:3])


class MailSettings(NamedTuple):
    """Who gets reminders, and the server that takes them; without ``username`` nobody logs in there."""

    to: tuple[str, ...]
    sender: str
    host: str
    port: int
    security: Security
    username: str | None = None
    password_file: Path | None = None


class ReminderSettings(NamedTuple):
    """How long ``before`` an end somebody is told, ascending, and by which ways; without a way nobody is."""

    before: tuple[timedelta, ...] = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
    webhook: WebhookSettings | None = None
    mail: MailSettings | None = None

    @property
    def channels(self) -> tuple[str, ...]:
        """The ways that are set."""
        return tuple(name for name, one in (("webhook", self.webhook), ("mail", self.mail)) if one is not None)

    def receivers(self, channel: str) -> tuple[str, ...]:
        """Return whom a way reaches, each of whom may be told or not: addresses of mail; a webhook has one, unnamed."""
        return tuple(dict.fromkeys(self.mail.to)) if channel == "mail" and self.mail is not None else ("",)
