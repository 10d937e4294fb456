"""A certificate as PEM files (RFC 7468), and the file name that stands for a credential's name.

Decides which file holds what: the names and modes below are what guides, nginx configurations and scripts rely on.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.fileset import SECRET, FileSet, PlannedFile
from counterseal.pki.names import dns_text, ip_address, unicode_of
from counterseal.pki.pem import encode_certificates, encode_private_key

if TYPE_CHECKING:
    from counterseal.bundles.credential import Credential

TRUST_ANCHOR_FILE = "ca.pem"
MAX_STEM = 128
_DIGEST_CHARACTERS = 12
_FAITHFUL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_@+-]{4,63}")  # most names: without a dot, and no device of Windows
_UNSAFE = re.compile(r"[^A-Za-z0-9._@+-]+")
_NEEDS_MARK = re.compile(
    r"^[.-]"  # hidden files, and what a command takes for an option
    r"|^_(wildcard|ipv6\.)"  # what only a leading * and an IPv6 address may become
    r"|\.(key|cert|chain|fullchain|keystore|truststore|secret)$"  # would read as a file of another credential
    r"|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)",  # devices on Windows, whatever the extension
    re.IGNORECASE,
)
_DEVICE = re.compile(r"^(?=(con|prn|aux|nul|com\d|lpt\d)(\.|$))", re.IGNORECASE)


def pem_files(credential: Credential, *, pkcs12: bytes | None = None) -> FileSet:
    """Return the credential as files, NAME being ``file_stem(credential.name)``.

    ``NAME.key.pem`` (0600, only with the key), ``NAME.cert.pem``, ``NAME.chain.pem`` (the CAs between; left out when
    there are none, for an empty file is an error to openssl and nginx), ``NAME.fullchain.pem`` (certificate, then
    chain: nginx's ``ssl_certificate``), ``NAME.p12`` (0600, when given) and ``ca.pem``, the trust anchor.
    """
    stem = file_stem(credential.name)
    files = [
        PlannedFile(f"{stem}.cert.pem", encode_certificates(credential.certificate)),
        PlannedFile(f"{stem}.fullchain.pem", encode_certificates(credential.certificate, *credential.chain)),
        PlannedFile(TRUST_ANCHOR_FILE, encode_certificates(credential.trust_anchor)),
    ]
    if credential.chain:
        files.insert(1, PlannedFile(f"{stem}.chain.pem", encode_certificates(*credential.chain)))
    if credential.private_key is not None:
        files.insert(0, PlannedFile(f"{stem}.key.pem", encode_private_key(credential.private_key), SECRET))
    if pkcs12 is not None:
        files.append(PlannedFile(f"{stem}.p12", pkcs12, SECRET))
    return FileSet(tuple(files))


def file_stem(name: str) -> str:
    """Return a file name for any credential name, to which ``.cert.pem`` and the like are appended.

    Host names, device names and e-mail addresses stay as they are; a leading ``*`` becomes ``_wildcard``. An
    international host goes by its A-label (``xn--bcher-kva.example``), an IPv6 address with hyphens for colons
    (``_ipv6.2001-db8--7``). Every other name is reduced to letters, digits and ``._@+-``, cut to 128 characters in all,
    and marked with ``~`` and 48 bits of its SHA-256, as is a host that can be spelt otherwise: so two names share a
    stem only if they are one host in Unicode and as A-label, or if those bits agree. Letter case is kept; on a file
    system that ignores it, ``Alice`` and ``alice`` are one file.
    """
    if _FAITHFUL.fullmatch(name):
        return name
    shown, canonical = _host(name)
    shown = f"_wildcard{shown[1:]}" if shown.startswith("*.") else shown
    if canonical and shown and not _UNSAFE.search(shown) and len(shown) <= MAX_STEM and not _NEEDS_MARK.search(name):
        return shown
    mark = "~" + sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARACTERS]
    plain = unicodedata.normalize("NFKD", shown).encode("ascii", "ignore").decode()
    safe = _DEVICE.sub("_", _UNSAFE.sub("_", plain).lstrip(".-"))
    return (safe[: MAX_STEM - len(mark)] or "_") + mark


def _host(name: str) -> tuple[str, bool]:
    """Return an IPv6 address or international host of several labels in ASCII, and whether it was spelt in its one way.

    Whatever else it is stays as it is: ``jürgen`` is a person, whose name nobody would find as ``xn--jrgen-kva``.
    """
    if ":" in name:
        try:
            address = str(ip_address(name).value)
        except InputError:
            return name, True
        return (f"_ipv6.{address.replace(':', '-')}", address == name) if ":" in address else (name, True)
    if name.isascii() or "." not in name:
        return name, True
    try:
        labels = dns_text(name)
    except InputError:
        return name, True
    return labels, unicode_of(labels) == name
