"""A reminder as a mail, handed to the server of the user's choice (RFC 5321), with TLS where that is wanted."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING

from counterseal.authority.reminders.secrets import channel_secret
from counterseal.errors import FileError

if TYPE_CHECKING:
    import ssl

    from counterseal.authority.reminders.message import Message
    from counterseal.authority.reminders.settings import MailSettings

SECONDS = 15.0


def send_mail(settings: MailSettings, message: Message, tls: ssl.SSLContext) -> None:
    """Hand the mail over.

    Raises FileError ``reminder.mail`` when the server takes it for nobody, ``reminder.mail_refused`` when it has taken
    it for some of the receivers: these must not get it again.
    """
    try:
        with _connect(settings, tls) as server:
            if settings.security == "starttls":
                server.starttls(context=tls)
            if settings.username is not None and settings.password_file is not None:
                server.login(settings.username, channel_secret(settings.password_file))
            refused = server.send_message(write_mail(settings, message))
    except UnicodeEncodeError:  # which would tell a character of the password, and where it stands
        raise _failed(settings, "user name and password of a log-in must be ASCII") from None
    except (OSError, smtplib.SMTPException) as error:
        raise _failed(settings, _reason(error)) from error
    if refused:
        said = ", ".join(
            f"{one} ({code} {reason.decode('utf-8', 'replace')})" for one, (code, reason) in refused.items()
        )
        told = f"the mail server took a reminder for others, but not for {said}: {settings.host}:{settings.port}"
        raise FileError(
            "reminder.mail_refused", told, hint="correct to under [reminders.mail], then: counterseal reminders test"
        )


def write_mail(settings: MailSettings, message: Message) -> EmailMessage:
    """Return the mail; marked as automatic, so that nobody's vacation answers (RFC 3834 5)."""
    mail = EmailMessage()
    mail["From"] = settings.sender
    mail["To"] = ", ".join(settings.to)
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = f"<{message.id}@{settings.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    return mail


def _connect(settings: MailSettings, tls: ssl.SSLContext) -> smtplib.SMTP:
    if settings.security == "tls":
        return smtplib.SMTP_SSL(settings.host, settings.port, timeout=SECONDS, context=tls)
    return smtplib.SMTP(settings.host, settings.port, timeout=SECONDS)


def _reason(error: Exception) -> str:
    """Return what the server said, which never holds the password."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    return str(error)


def _failed(settings: MailSettings, reason: str) -> FileError:
    told = f"the mail server did not take a reminder: {settings.host}:{settings.port}: {reason}"
    return FileError("reminder.mail", told, hint="when it is mended, try: counterseal reminders test")
