"""http-01 (RFC 8555 8.3): the key authorization lies under a well-known path of the host, at port 80.

Redirects are followed a few times, each host being resolved and checked like the first, only to http and https, only to
the ports of the rules, and only to a path that ends in the token: so the CA can be sent to no other page of a network.
"""

from __future__ import annotations

import asyncio
import ssl
from hmac import compare_digest
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from counterseal.protocols.acme.problems import Failure
from counterseal.protocols.acme.validation.connect import reason_of
from counterseal.protocols.acme.validation.http_answer import get
from counterseal.protocols.acme.validation.reach import parse_address
from counterseal.protocols.acme.validation.resolver import Lookup

if TYPE_CHECKING:
    from counterseal.protocols.acme.rules import AcmeRules
    from counterseal.protocols.acme.validation.connect import Reach
    from counterseal.protocols.acme.validation.http_answer import Answer

SECONDS = 10.0
REDIRECTS = 5
_REDIRECTING = frozenset({301, 302, 303, 307, 308})
_OK = 200


async def check_http01(
    reach: Reach, rules: AcmeRules, *, host: str, token: str, key_authorization: str
) -> Failure | None:
    """Return why the challenge fails, or None."""
    authority = f"[{host}]" if ":" in host else host
    url = f"http://{authority}:{rules.http_port}/.well-known/acme-challenge/{token}"
    try:
        async with asyncio.timeout(SECONDS):
            for _ in range(REDIRECTS + 1):
                answer = await _fetch(reach, url)
                if answer.status not in _REDIRECTING or answer.location is None:
                    return _judge(answer, url, key_authorization)
                url = _followed(url, answer.location, token, rules)
    except Lookup as lookup:
        return lookup.failure
    except TimeoutError:
        return Failure("connection", f"{url}: no answer within {SECONDS:g} s")
    except OSError as error:
        return Failure("connection", f"{url}: {reason_of(error)}")
    return Failure("connection", f"more than {REDIRECTS} redirects")


def _judge(answer: Answer, url: str, key_authorization: str) -> Failure | None:
    if answer.status != _OK:
        return Failure("incorrectResponse", f"{url}: status {answer.status or 'none'}, expected 200")
    if not compare_digest(bytes(answer.body).rstrip(), key_authorization.encode()):
        return Failure("incorrectResponse", f"{url}: the answer is not the key authorization of this account's key")
    return None


async def _fetch(reach: Reach, url: str) -> Answer:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _default_port(parts)
    context = _any_certificate() if parts.scheme == "https" else None
    reader, writer = await reach.open(host, port, context=context, server_name=host)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        shown = f"[{host}]" if ":" in host else host
        return await get(
            reader, writer, host=shown if port == _default_port(parts) else f"{shown}:{port}", target=target
        )
    finally:
        writer.close()


def _followed(url: str, location: str, token: str, rules: AcmeRules) -> str:
    """Return where a redirect leads; raises Lookup when that is nowhere that validation goes."""
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
        port = parts.port or _default_port(parts)
    except ValueError:
        raise Lookup(Failure("connection", f"{url}: redirects to what is no URL")) from None
    printable = target.isascii() and target.isprintable() and " " not in target
    host = parts.hostname and (":" not in parts.hostname or parse_address(parts.hostname))
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None or not printable:
        raise Lookup(Failure("connection", f"{url}: redirects to what is no http or https URL"))
    if port not in {80, 443, rules.http_port, rules.tls_port}:
        raise Lookup(Failure("connection", f"{url}: redirects to port {port}, which validation does not use"))
    if not parts.path.endswith(f"/{token}"):
        raise Lookup(Failure("connection", f"{url}: redirects to a path that does not end in the token"))
    return target


def _default_port(parts: SplitResult) -> int:
    return 443 if parts.scheme == "https" else 80


def _any_certificate() -> ssl.SSLContext:
    """Return a context that takes any certificate: the host is only about to get its first one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
