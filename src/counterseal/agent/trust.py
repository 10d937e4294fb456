"""Whom a machine without a CA trusts: a root pinned by its fingerprint, a file, or the root it trusted before.

With a fingerprint alone the CA certificates are fetched without trust, and of them counts only the root whose SHA-256
is the one given; from then on only a server below that root is spoken to (RFC 7030 4.1.1, where a person would compare
the fingerprint). Without either, nothing is sent: the fingerprint that was found is said, and how to compare it.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from counterseal.agent.est import EST
from counterseal.errors import InputError, RefusedError, RemoteError
from counterseal.pki.path.build import Search
from counterseal.pki.path.candidate import Candidate
from counterseal.pki.reading import certificates_in
from counterseal.pki.relations import is_issued_by
from counterseal.pki.shown import quoted
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography import x509

    from counterseal.agent.address import ServerAddress

_MOST_SHOWN = 4
_COMPARE = "nothing was sent; compare with what `counterseal ca export` says where the CA is, then: --fingerprint "


@dataclass(frozen=True, slots=True)
class Trust:
    """The TLS context under which the service is spoken to from now on, and the CA certificates it has.

    ``pinned`` is the one root that counts; None where any root that the trusted service names does.
    """

    context: ssl.SSLContext
    authorities: tuple[x509.Certificate, ...]
    pinned: x509.Certificate | None = None

    @property
    def has_issuing(self) -> bool:
        """Whether it has CAs below its root, which then stand in the chain of what it issues."""
        return not all(map(_is_root, self.authorities))


def parse_fingerprint(text: str) -> bytes:
    """Return the 32 octets of a SHA-256 in hex, with or without colons; raises InputError ``est.fingerprint``."""
    digits = re.sub(r"^sha-?256[:=]", "", text.strip().lower()).replace(":", "").replace(" ", "")
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise InputError(
            "est.fingerprint",
            f"not the SHA-256 of a certificate: {quoted(text)}",
            hint="64 hexadecimal digits, with or without colons; of the root, not of the server's certificate",
        )
    return bytes.fromhex(digits)


def show_fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate as `counterseal ca export` has it."""
    return certificate.fingerprint(SHA256()).hex()


def trust(server: ServerAddress, *, fingerprint: bytes | None, anchors: bytes | None) -> Trust:
    """Return how to speak with ``server``: ``fingerprint`` pins the root, ``anchors`` (PEM) verify its TLS.

    Raises RefusedError ``est.unknown_ca``, ``est.wrong_ca``, InputError, RemoteError.
    """
    context = trusting(certificates_in(anchors, source="the file of --ca")) if anchors is not None else _blind()
    authorities = EST(server, context).cacerts()
    if fingerprint is None:
        if anchors is None:
            _refuse_unknown(server, authorities)
        return Trust(context, authorities)
    pinned = next((one for one in authorities if one.fingerprint(SHA256()) == fingerprint), None)
    if pinned is None:
        found = _shown(authorities)
        raise RefusedError(
            "est.wrong_ca",
            f"{server} has another CA than the fingerprint {fingerprint.hex()} stands for: {found}",
            hint="is it the right server? somebody may stand between; nothing was sent to it",
        )
    if not _is_root(pinned):
        raise InputError(
            "est.no_root",
            f"the fingerprint is that of a CA below the root: {show_subject(pinned.subject)}",
            hint="give the root's: counterseal ca export",
        )
    return Trust(context if anchors is not None else trusting((pinned,)), authorities, pinned)


def trusting(anchors: Iterable[x509.Certificate]) -> ssl.SSLContext:
    """Return a context for TLS 1.2 and 1.3 whose only trust anchors are these."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=b"".join(one.public_bytes(Encoding.DER) for one in anchors))
    return context


def path_to_root(
    server: ServerAddress, certificate: x509.Certificate, trusted: Trust
) -> tuple[tuple[x509.Certificate, ...], x509.Certificate]:
    """Return the CAs between a new certificate and its trust anchor, and the anchor; every signature verified.

    Raises RemoteError ``est.path`` when the service's CA certificates do not lead there.
    """
    anchors = (trusted.pinned,) if trusted.pinned else tuple(filter(_is_root, trusted.authorities))
    others = [Candidate(one) for one in trusted.authorities if one not in anchors]
    search = Search([*(Candidate(one, anchor=True) for one in anchors), *others], certificate.not_valid_before_utc)
    for path in search.paths(Candidate(certificate)):
        if path.anchored and not any(path.faults):
            _, *between, anchor = (member.certificate for member in path.members)
            return tuple(between), anchor
    raise RemoteError(
        "est.path",
        f"the certificate from {server} does not lead to the trusted root; it names as its issuer "
        f"{show_subject(certificate.issuer)}",
        hint="nothing was written; the service must offer every CA certificate of the path",
    )


def _blind() -> ssl.SSLContext:
    """Return a context that believes anybody: for the one question whose answer is compared with a fingerprint."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _is_root(certificate: x509.Certificate) -> bool:
    return is_issued_by(certificate, certificate)


def _refuse_unknown(server: ServerAddress, authorities: tuple[x509.Certificate, ...]) -> None:
    roots = [one for one in authorities if _is_root(one)]
    raise RefusedError(
        "est.unknown_ca",
        f"nothing says that {server} is the right CA: {_shown(authorities)}",
        hint=_COMPARE + (show_fingerprint(roots[0]) if len(roots) == 1 else "SHA256"),
    )


def _shown(authorities: tuple[x509.Certificate, ...]) -> str:
    roots = [one for one in authorities if _is_root(one)][:_MOST_SHOWN]
    return "; ".join(f"{show_subject(one.subject)}, SHA-256 {show_fingerprint(one)}" for one in roots) or "no root"
