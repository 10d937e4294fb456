"""Which of OpenSSL's verify errors a server's refusal most likely is, where its page does not say.

``pki.openssl`` says what OpenSSL reports about the chain that was sent. From outside only the names of the server's CAs
are known: where the chain leads to one of them, that it leads nowhere is left out of account, and so is everything that
depends on files of the server (a depth, a CRL). OpenSSL passes over the dates of the last CA of such a chain, and a
server that has the CA above does not: so they are looked at here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.handshake.explain.certificates import read_certificates
from counterseal.handshake.peer_causes import NO_PATH
from counterseal.pki.openssl.codes import Error
from counterseal.pki.openssl.verify import verify
from counterseal.pki.profile import Purpose

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography import x509

    from counterseal.handshake.explain.story import Story


def likely_error(story: Story, anchors: Sequence[x509.Certificate], at: datetime) -> int | None:
    """Return the number of the error that stands in the end, as nginx reports it, or None when there is none."""
    chain = read_certificates(story.client_chain)
    if not chain:
        return None
    authorities = story.request.authorities if story.request else ()
    held = [one for one in anchors if not authorities or one.subject.public_bytes() in authorities]
    named = any(one.issuer.public_bytes() in authorities for one in chain)
    found = verify(chain[0], chain[1:], held, purpose=Purpose.CLIENT, at=at)
    errors = [int(error) for error, _ in found.errors if not (named and error in NO_PATH)]
    if not errors and named:
        errors = [error for one in chain[1:] if (error := _date_error(one, authorities, at)) is not None]
    return errors[-1] if errors else None


def _date_error(issuer: x509.Certificate, authorities: Sequence[bytes], at: datetime) -> int | None:
    """Return what is wrong with the dates of a CA that the client sent, unless the server has one of its own."""
    if issuer.subject.public_bytes() in authorities:
        return None
    if issuer.not_valid_before_utc > at:
        return int(Error.CERT_NOT_YET_VALID)
    return int(Error.CERT_HAS_EXPIRED) if issuer.not_valid_after_utc < at else None
