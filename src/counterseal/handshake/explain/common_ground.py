"""A handshake in which the server found nothing that it takes: which list it was, and on which side to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from counterseal.handshake.common_ground import Shortage
from counterseal.handshake.explain.fields import shorten
from counterseal.handshake.explain.nginx_log import LogHint
from counterseal.handshake.symptoms import Cause
from counterseal.handshake.wire.numbers import GROUPS, SIGNATURE_SCHEMES, VERSIONS, name_of, names_of
from counterseal.handshake.wire.suites import CIPHER_SUITES
from counterseal.handshake.wire.widening import REGISTERED, Offer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from counterseal.handshake.common_ground import Lack


class Lacking(NamedTuple):
    """Why there is nothing in common, nginx's directive, and its line in error.log."""

    cause: Cause
    directive: str
    log: LogHint


def explain_lack(lack: Lack) -> Lacking:
    """Return the cause of a lack."""
    return _EXPLAIN[lack.of](lack)


def names_for(lack: Lack) -> Mapping[int, str]:
    """Return the registry that the numbers of a lack are from."""
    return {
        Shortage.GROUPS: GROUPS,
        Shortage.SIGNATURE_ALGORITHMS: SIGNATURE_SCHEMES,
        Shortage.OTHER_VERSION: VERSIONS,
    }.get(lack.of, CIPHER_SUITES)


_NO_CIPHER, _NO_KEY_SHARE, _NO_ALGORITHM = (
    LogHint(reason)
    for reason in (
        "no shared cipher) while SSL handshaking",
        "no suitable key share) while SSL handshaking",
        "signature algorithm",  # no suitable one, or no shared ones
    )
)
_USUAL = frozenset({23, 24, 29, 0x0401, 0x0403, 0x0503, 0x0804, 0x0805, 0x0806})
"""Groups and signature algorithms that every client of today offers (RFC 8446 9.1, and what browsers do)."""
_AT_THE_CLIENT = (
    "let this client offer what is usual: {} in the openssl.cnf of this host, or its system's policy for cryptography, "
    "leaves it out"
)
_MEND_GROUPS = (
    "let the server take one of those (nginx: ssl_ecdh_curve, and a key on P-256 in ssl_certificate); else the client "
    "must offer the server's (OpenSSL: Groups in openssl.cnf, where its release knows it)"
)
_MEND_SIGNATURES = (
    "give the server a certificate with a key on P-256 or of RSA, and let it sign with SHA-256 (nginx: "
    "ssl_certificate, no ssl_conf_command SignatureAlgorithms); else the client must offer the server's (OpenSSL: "
    "SignatureAlgorithms in openssl.cnf)"
)


def _suites(lack: Lack) -> Lacking:
    name, directive = _taken(lack), "ssl_conf_command Ciphersuites" if lack.is_tls13 else "ssl_ciphers"
    return Lacking(
        Cause(
            f"no cipher suite in common: the server takes none of those that this client offers, {_offered(lack)}; it "
            f"answers to {name}",
            f"let the server take one of those (nginx: {directive}); else the client must offer {name}",
        ),
        directive,
        _NO_CIPHER,
    )


def _groups(lack: Lack) -> Lacking:
    says = f"it agrees on {_taken(lack)}" if lack.takes else "the curve of its certificate's key is not among them"
    return Lacking(
        Cause(
            f"no group in common: the server takes none of those that this client offers, {_offered(lack)}; {says}",
            _AT_THE_CLIENT.format("Groups") if lack.takes in _USUAL else _MEND_GROUPS,
        ),
        "ssl_ecdh_curve",
        _NO_KEY_SHARE if lack.is_tls13 else _NO_CIPHER,
    )


def _signatures(lack: Lack) -> Lacking:
    says = f"it signs with {_taken(lack)}" if lack.takes else "its key is of a kind that this client does not know"
    return Lacking(
        Cause(
            f"no signature algorithm in common: the server signs with none of those that this client offers, "
            f"{_offered(lack)}; {says}",
            _AT_THE_CLIENT.format("SignatureAlgorithms") if lack.takes in _USUAL else _MEND_SIGNATURES,
        ),
        "ssl_certificate, ssl_conf_command SignatureAlgorithms",
        _NO_ALGORITHM,
    )


def _several(lack: Lack) -> Lacking:
    cause = Cause(
        f"more than one list has nothing in common: the server answers to {_everything()}, and chooses {_taken(lack)}; "
        "with one list alone made longer it does not",
        "let the server take what its clients offer (nginx: ssl_ciphers, ssl_ecdh_curve, ssl_certificate), one list "
        "after the other; what is left is then named",
    )
    return Lacking(cause, "ssl_ciphers, ssl_ecdh_curve, ssl_certificate", _NO_CIPHER)


def _other_version(lack: Lack) -> Lacking:
    asked, other = ", ".join(names_of(VERSIONS, lack.offered)), _taken(lack)
    cause = Cause(
        f"the server takes nothing of {asked}, not with {_everything()}; it answers in {other}: {asked} is off there, "
        f"or its suites of {asked} are for another kind of key than its certificate has",
        f"leave out --tls; or let the server speak {asked}, with suites for its kind of key (nginx: ssl_protocols, "
        "ssl_ciphers)",
    )
    return Lacking(cause, "ssl_protocols, ssl_ciphers", _NO_CIPHER)


def _nowhere(_lack: Lack) -> Lacking:
    cause = Cause(
        f"the server does not answer to {_everything()} either: what it is set to does not fit together, such as "
        "suites for RSA keys and an EC certificate, or in TLS 1.3 groups of TLS 1.2 alone; or it has no certificate",
        "compare the server's suites and groups with its kind of key (nginx: ssl_ciphers, ssl_ecdh_curve, "
        "ssl_certificate)",
    )
    return Lacking(cause, "ssl_ciphers, ssl_ecdh_curve, ssl_certificate", _NO_CIPHER)


_EXPLAIN: Mapping[Shortage, Callable[[Lack], Lacking]] = {
    Shortage.CIPHER_SUITES: _suites,
    Shortage.GROUPS: _groups,
    Shortage.SIGNATURE_ALGORITHMS: _signatures,
    Shortage.SEVERAL: _several,
    Shortage.OTHER_VERSION: _other_version,
    Shortage.NOWHERE: _nowhere,
}


def _taken(lack: Lack) -> str:
    return name_of(names_for(lack), lack.takes or 0)


def _offered(lack: Lack) -> str:
    return shorten(", ".join(names_of(names_for(lack), lack.offered)))


def _everything() -> str:
    suites, groups, schemes = (len(REGISTERED[offer]) for offer in Offer)
    return f"all {suites} cipher suites, {groups} groups and {schemes} signature algorithms known here"
