"""A reminder as a mail, handed to the server of the user's choice (RFC 5321), with TLS where that is wanted."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, NamedTuple

from counterseal.authority.reminders.bounded import BoundedSMTP, BoundedSMTPS
from counterseal.authority.reminders.secrets import channel_secret
from counterseal.errors import FileError
from counterseal.pki.shown import printable

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence

    from counterseal.authority.reminders.message import Message
    from counterseal.authority.reminders.settings import MailSettings

SECONDS = 15.0
_FOR_GOOD = 500


class Refusal(NamedTuple):
    """What the server answered about one receiver: 4xx may be otherwise later, 5xx is for good (RFC 5321 4.2.1)."""

    code: int
    said: str

    @property
    def is_for_good(self) -> bool:
        """Whether the same mail would be refused again."""
        return self.code >= _FOR_GOOD


def send_mail(
    settings: MailSettings, to: Sequence[str], message: Message, tls: ssl.SSLContext
) -> Mapping[str, Refusal]:
    """Hand the mail over to these receivers; return those of them for whom it was not taken, and why.

    Raises FileError ``reminder.mail`` when it was taken for nobody for another reason than who they are.
    """
    try:
        with _connect(settings, tls) as server:
            if settings.security == "starttls":
                server.starttls(context=tls)
            if settings.username is not None and settings.password_file is not None:
                server.login(settings.username, channel_secret(settings.password_file))
            return _hand_over(server, write_mail(settings, to, message), to)
    except UnicodeEncodeError:  # which would tell a character of the password, and where it stands
        raise _failed(settings, "user name and password of a log-in must be ASCII") from None
    except (OSError, smtplib.SMTPException) as error:
        raise _failed(settings, _reason(error)) from error


def refused_error(settings: MailSettings, refused: Mapping[str, Refusal], *, others: bool) -> FileError:
    """Return the error that names them: where ``others`` have been told ``reminder.mail_refused``, else ``mail``."""
    said = ", ".join(f"{one} ({why.code} {why.said})" for one, why in refused.items())
    if not others:
        return _failed(settings, said)
    told = f"the mail server took a reminder for others, but not for {said}: {settings.host}:{settings.port}"
    if any(one.is_for_good for one in refused.values()):
        hint = "correct to under [reminders.mail], then: counterseal reminders test"
    else:
        hint = "it is sent again to whom the server refused for now, and to nobody else"
    return FileError("reminder.mail_refused", told, hint=hint)


def _hand_over(server: smtplib.SMTP, mail: EmailMessage, to: Sequence[str]) -> Mapping[str, Refusal]:
    try:
        refused = server.send_message(mail, to_addrs=list(to))
    except smtplib.SMTPRecipientsRefused as error:  # all of them; or the server ended it at one of them, with 421
        refused = dict.fromkeys(to, next(reversed(error.recipients.values()))) | error.recipients
    return {one: Refusal(code, _one_line(said)) for one, (code, said) in refused.items()}


def _one_line(said: bytes) -> str:
    return printable(" ".join(said.decode("utf-8", "replace").split()))


def write_mail(settings: MailSettings, to: Sequence[str], message: Message) -> EmailMessage:
    """Return the mail; marked as automatic, so that nobody's vacation answers (RFC 3834 5)."""
    mail = EmailMessage()
    mail["From"] = settings.sender
    mail["To"] = ", ".join(to)
    mail["Subject"] = printable(message.subject)  # no name begins a field of its own, nor ends the mail
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = f"<{message.id}@{settings.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    return mail


def _connect(settings: MailSettings, tls: ssl.SSLContext) -> smtplib.SMTP:
    if settings.security == "tls":
        return BoundedSMTPS(settings.host, settings.port, timeout=SECONDS, context=tls)
    return BoundedSMTP(settings.host, settings.port, timeout=SECONDS)


def _reason(error: Exception) -> str:
    """Return what the server said, which never holds the password."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    return str(error)


def _failed(settings: MailSettings, reason: str) -> FileError:
    told = f"the mail server did not take a reminder: {settings.host}:{settings.port}: {reason}"
    return FileError("reminder.mail", told, hint="when it is mended, try: counterseal reminders test")
