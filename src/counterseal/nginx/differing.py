"""Which other nginx, and the same with which other OpenSSL, may answer the same client otherwise.

What differs is how a file of revocation lists is read: certificates in it are trusted before 1.27.2, and a delta is
taken for a full list by an OpenSSL before the summer of 2026.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from counterseal.nginx.version import FEATURES, supports
from counterseal.pki.openssl.release import DELTAS_PASSED_OVER_FROM, takes_deltas

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from counterseal.nginx.version import NginxVersion

_LISTS_ALONE = "shared_certificate_objects"
_FIRST = next(feature.nginx for feature in FEATURES if feature.name == _LISTS_ALONE)
_CERTIFICATE = b"CERTIFICATE-----"  # also after TRUSTED and X509
_OLDER_OPENSSL = (3, 0, 0)


@dataclass(frozen=True, slots=True)
class Differing:
    """Versions that have something in common, in words, and one of them."""

    words: str
    one: NginxVersion


def differing(version: NginxVersion, lists: Iterable[bytes], *, deltas: bool) -> Iterator[Differing]:
    """Yield who is on the other side of each difference that these files can make, contents of ``ssl_crl``.

    ``deltas``: whether one of the lists is one. An OpenSSL that is not known is taken for the newest.
    """
    if any(_CERTIFICATE in content for content in lists):
        yield _other_nginx(version)
    if deltas:
        yield _other_openssl(version)


def _other_nginx(version: NginxVersion) -> Differing:
    first = ".".join(map(str, _FIRST))
    if supports(version, _LISTS_ALONE):
        older = replace(version, number=(*_FIRST[:2], _FIRST[2] - 1))
        return Differing(f"nginx before {first}, which trusts certificates among the lists", older)
    newer = replace(version, number=_FIRST)
    return Differing(f"nginx {first} or newer, which passes over certificates among the lists", newer)


def _other_openssl(version: NginxVersion) -> Differing:
    if takes_deltas(version.openssl):
        words = f"OpenSSL {DELTAS_PASSED_OVER_FROM} or newer, which passes over a delta"
        return Differing(f"nginx with {words}", replace(version, openssl=None))
    words = f"OpenSSL before {DELTAS_PASSED_OVER_FROM}, which takes a delta for a full list"
    return Differing(f"nginx with {words}", replace(version, openssl=_OLDER_OPENSSL))


def in_words(version: NginxVersion) -> str:
    """Return which nginx this is, with its OpenSSL where that is known."""
    library = "" if version.openssl is None else f" with OpenSSL {'.'.join(map(str, version.openssl))}"
    return f"nginx {version.package or version}{library}"
