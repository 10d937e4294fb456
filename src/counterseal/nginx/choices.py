"""The words by which a site says what it wants; their values are those of counterseal.toml."""

from __future__ import annotations

from enum import StrEnum

MAP_ONLY_BEYOND = 10_000


class ClientCertificates(StrEnum):
    """What a client must show: nothing is asked for, a certificate may be shown, or one must be."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


class Revocation(StrEnum):
    """How nginx learns of revocations: CRL in the handshake, map per request, both, or by the size of the list."""

    CRL = "crl"
    MAP = "map"
    BOTH = "both"
    AUTO = "auto"

    def settle(self, entries: int, *, has_lists: bool = True) -> Revocation:
        """Return what ``auto`` means for a list of this many entries; the other modes stay.

        ``has_lists``: whether there is one of every CA of the chain. With one missing nginx would refuse everybody.
        """
        if self is not Revocation.AUTO:
            return self
        return Revocation.BOTH if has_lists and entries <= MAP_ONLY_BEYOND else Revocation.MAP


class Admit(StrEnum):
    """Whether every certificate that verifies is admitted, or only those the inventory knows."""

    VALID = "valid"
    KNOWN = "known"


class TLSProfile(StrEnum):
    """Mozilla server side TLS 6.0: TLS 1.2 and 1.3, or 1.3 alone."""

    INTERMEDIATE = "intermediate"
    MODERN = "modern"


class IdentityHeaders(StrEnum):
    """What the upstream is told of the client: nothing, the X-SSL-Client set, or RFC 9440 ``Client-Cert``."""

    OFF = "off"
    STANDARD = "standard"
    RFC9440 = "rfc9440"


class Sessions(StrEnum):
    """Whether TLS sessions may be resumed; a resumed session is not verified again."""

    OFF = "off"
    CACHE = "cache"
