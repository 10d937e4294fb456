"""A reminder as an HTTP POST of JSON, signed as Standard Webhooks says (HMAC-SHA256; standardwebhooks.com).

``webhook-signature`` is ``v1,`` and the base64 of the MAC of ``ID.TIMESTAMP.BODY``; a receiver refuses what is old by
``webhook-timestamp`` and what it has by ``webhook-id``. No redirect is followed: the secret's user chose this URL.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import urllib.error
import urllib.request
from hashlib import sha256
from http.client import HTTPException
from typing import TYPE_CHECKING

from counterseal.authority.reminders.bounded import BoundedHTTP, BoundedHTTPS
from counterseal.authority.reminders.secrets import channel_secret
from counterseal.errors import FileError, InputError
from counterseal.moments import epoch
from counterseal.pki.shown import printable

if TYPE_CHECKING:
    import ssl

    from counterseal.authority.reminders.message import Message
    from counterseal.authority.reminders.settings import WebhookSettings

SECONDS = 15.0
PREFIX = "whsec_"


def send_webhook(settings: WebhookSettings, message: Message, tls: ssl.SSLContext) -> None:
    """Post the message; raises FileError ``reminder.webhook`` unless the receiver answers 2xx, and soon."""
    body = json.dumps(message.document).encode()
    at = epoch(message.at)
    key = webhook_key(channel_secret(settings.secret_file))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "counterseal",
        "webhook-id": message.id,
        "webhook-timestamp": str(at),
        "webhook-signature": sign(key, message.id, at, body),
    }
    request = urllib.request.Request(settings.url, body, headers, method="POST")  # noqa: S310 - http or https by settings
    opener = urllib.request.build_opener(BoundedHTTP(), BoundedHTTPS(tls), _NoRedirect())
    try:
        with opener.open(request, timeout=SECONDS):
            return
    except (OSError, ValueError, HTTPException) as error:  # the last: an answer that is no HTTP
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        status = f"{error.code} " if isinstance(error, urllib.error.HTTPError) else ""
        told = f"the receiver of reminders did not take one: {settings.shown}: {status}{printable(str(reason))}"
        raise FileError("reminder.webhook", told, hint="when it is mended, try: counterseal reminders test") from error


def sign(key: bytes, identity: str, at: int, body: bytes) -> str:
    """Return the signature of a body that is sent ``at`` seconds since the epoch."""
    mac = hmac.digest(key, f"{identity}.{at}.".encode() + body, sha256)
    return "v1," + base64.b64encode(mac).decode()


def webhook_key(secret: str) -> bytes:
    """Return the key: what ``whsec_`` and base64 say, or the text itself; raises InputError ``reminder.secret``."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (ValueError, binascii.Error) as error:
        raise InputError("reminder.secret", f"what follows {PREFIX} in the secret is not base64") from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow none."""
