"""A client of whose ClientHello nothing is taken here: which list it was, by OpenSSL's reason and by what it offers.

In TLS 1.2 OpenSSL calls all of it a cipher: a suite needs a group, a signature algorithm, and a key of its kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.handshake.explain.fields import shorten
from counterseal.handshake.symptoms import Cause
from counterseal.handshake.wire.numbers import GROUPS, SIGNATURE_SCHEMES, TLS13, VERSIONS, names_of
from counterseal.handshake.wire.suites import CIPHER_SUITES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from counterseal.handshake.wire.messages import ClientHello

_USUAL = frozenset({23, 24, 25, 29, 30})
_OTHER_KEY = "or show it a certificate with a key of the kind that it takes: --cert and --key"


def nothing_common(fault: str, offered: ClientHello) -> Cause | None:
    """Return why OpenSSL ended the handshake for ``fault``, in its own words; None where that is something else."""
    match fault:
        case "no shared cipher" if TLS13 not in offered.versions and not _USUAL & {*offered.groups}:
            return _groups(offered)
        case "no shared cipher":
            return _suites(offered)
        case "no suitable key share" | "no suitable groups":
            return _groups(offered)
        case "no suitable signature algorithm" | "no shared signature algorithms":
            return _signatures(offered)
        case "unsupported protocol":
            return _versions(offered)
    return None


def _suites(offered: ClientHello) -> Cause:
    schemes = _names(SIGNATURE_SCHEMES, offered.signature_schemes)
    return Cause(
        f"no cipher suite in common: the client offers {_names(CIPHER_SUITES, offered.cipher_suites)}, and here are "
        "taken those with AES-GCM, AES-CBC or ChaCha20 that fit the key of the certificate shown and one of the "
        f"client's signature algorithms, {schemes or 'of which it names none'}",
        f"let the client offer such a suite; {_OTHER_KEY}",
    )


def _groups(offered: ClientHello) -> Cause:
    return Cause(
        f"no group in common: the client offers {_names(GROUPS, offered.groups) or 'none'}, and here are taken x25519, "
        "secp256r1 and the others that OpenSSL takes by itself",
        "let the client offer x25519 or secp256r1, as every client of today does",
    )


def _signatures(offered: ClientHello) -> Cause:
    return Cause(
        f"no signature algorithm in common: the client takes {_names(SIGNATURE_SCHEMES, offered.signature_schemes)}, "
        "and the key of the certificate that is shown here makes none of these",
        f"let the client take ecdsa_secp256r1_sha256 or rsa_pss_rsae_sha256; {_OTHER_KEY}",
    )


def _versions(offered: ClientHello) -> Cause:
    return Cause(
        f"no TLS version in common: the client offers {_names(VERSIONS, offered.versions)}, and here are spoken TLS "
        "1.2 and 1.3, or the one in --tls",
        "listen without --tls; a client that knows neither must be updated (RFC 8996)",
    )


def _names(table: Mapping[int, str], numbers: Iterable[int]) -> str:
    return shorten(", ".join(names_of(table, numbers)))
