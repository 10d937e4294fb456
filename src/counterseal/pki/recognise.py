"""What bytes of unknown content are: certificate, CSR, CRL, key, PKCS#12, PKCS#7, in PEM or DER, or several of them.

Decides by the structure of the content and never by a file name or a PEM label alone; what the things say, and whether
they can be believed, is for others. Never raises, and takes time in proportion to the length only. RFC 5280 (4.1, 5.1),
RFC 2986, RFC 5958, RFC 5915, RFC 8017 (A.1), RFC 7292, RFC 5652 (5.1), and OpenSSL's trusted certificates.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.pki import der_reader
from counterseal.pki.pem_reader import Block, from_base64, pem_blocks
from counterseal.pki.shape import PKCS12_IN_BER, Kind, kind_of, signed_data_parts
from counterseal.pki.shown import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PIECES = 100_000
"""More things than this in one file are not looked at: the last piece says so."""


class Encoding(StrEnum):
    """How a piece was written in its file."""

    PEM = "pem"
    DER = "der"
    BASE64 = "base64"


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing found in a file.

    ``content`` is its DER; of a key encrypted in the traditional form (RFC 1421) the PEM block. ``problem`` says in a
    sentence what is wrong with it, and is never None for ``Kind.UNKNOWN``. ``line`` and ``label`` are those of the PEM
    block. ``inside`` are the certificates and CRLs of a PKCS#7. ``auxiliary`` is what OpenSSL keeps behind a
    ``TRUSTED CERTIFICATE``: for what it is trusted.
    """

    kind: Kind
    content: bytes = field(repr=False)
    encoding: Encoding
    label: str | None = None
    line: int | None = None
    problem: str | None = None
    inside: tuple[Piece, ...] = ()
    auxiliary: bytes = field(default=b"", repr=False)


def recognise(content: bytes) -> tuple[Piece, ...]:
    """Return everything that ``content`` holds, in its order; at least one piece, which may be ``Kind.UNKNOWN``."""
    text, problem = _as_text(content)
    pieces = tuple(islice(_pieces(text), MAX_PIECES + 1))
    if len(pieces) > MAX_PIECES:
        pieces = (*pieces[:MAX_PIECES], _unknown(b"", f"the file holds more than {MAX_PIECES} things"))
    return tuple(replace(piece, problem=piece.problem or problem) for piece in pieces) if problem else pieces


def _as_text(content: bytes) -> tuple[bytes, str | None]:
    """Undo what editors on Windows do to PEM: a byte order mark, or two bytes a character."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        narrow = content.decode("utf-16", "replace").encode("ascii", "replace")
        return narrow, "the file is UTF-16 text, which openssl and nginx cannot read"
    return content.removeprefix(codecs.BOM_UTF8), None


def _pieces(content: bytes) -> Iterator[Piece]:
    found = False
    for block in pem_blocks(content):
        found = True
        yield _from_block(block)
    if not found:
        yield from _without_pem(content)


def _from_block(block: Block) -> Piece:
    def piece(kind: Kind, content: bytes, problem: str | None = None) -> Piece:
        return Piece(kind, content, Encoding.PEM, block.label, block.line, problem)

    if block.problem is not None:
        return piece(Kind.UNKNOWN, b"", f"{quoted(block.label)}: {block.problem}")
    if block.encrypted and block.label.endswith("PRIVATE KEY"):
        return piece(Kind.ENCRYPTED_PRIVATE_KEY, block.text)
    if block.label in _FOREIGN_LABELS:
        return piece(Kind.UNKNOWN, b"", _FOREIGN_LABELS[block.label])
    if block.label in {"DH PARAMETERS", "X9.42 DH PARAMETERS", "EC PARAMETERS", "DSA PARAMETERS"}:
        return piece(Kind.PARAMETERS, block.content)
    read = _from_der(block.content, Encoding.PEM)
    expected = _LABELS.get(block.label)
    problem = read.problem
    if expected is None and read.kind is not Kind.UNKNOWN:
        problem = f"{read.kind.words} under the label {quoted(block.label)}, which openssl and nginx do not know"
    elif expected not in {None, read.kind}:
        is_what = read.kind.words if read.kind is not Kind.UNKNOWN else f"nothing readable ({read.problem})"
        problem = f"the label says {block.label}, the content is {is_what}"
    elif read.kind is Kind.UNKNOWN:
        problem = f"unknown PEM block {quoted(block.label)}"
    return replace(read, label=block.label, line=block.line, problem=problem)


def _without_pem(content: bytes) -> Iterator[Piece]:
    if not content.strip():
        yield _unknown(content, "the file is empty" if not content else "the file holds nothing but blanks")
    elif content[:1] == b"\x30":
        yield from _der_after_der(content)
    else:
        yield _from_bare_base64(content) or _unknown(content, _what_else(content))


def _der_after_der(content: bytes) -> Iterator[Piece]:
    """Read DER files that were written one after the other; what is left at the end is told of the last one."""
    position, length = 0, len(content.rstrip(b"\r\n"))
    if content.startswith(PKCS12_IN_BER):
        yield Piece(Kind.PKCS12, content, Encoding.DER)
        return
    while position < length:
        try:
            element = der_reader.element_at(content, position, end=len(content))
        except InputError as error:
            yield _unknown(content[position:], error.message)
            return
        yield _from_der(element.whole, Encoding.DER)
        position = element.end


def _from_bare_base64(content: bytes) -> Piece | None:
    try:
        decoded = from_base64(content)
    except ValueError:
        return None
    read = _from_der(decoded, Encoding.BASE64) if decoded[:1] == b"\x30" else None
    if read is None or read.kind is Kind.UNKNOWN:
        return None
    return replace(read, problem="base64 without its BEGIN and END lines, which openssl and nginx cannot read")


def _from_der(content: bytes, encoding: Encoding) -> Piece:
    if content.startswith(PKCS12_IN_BER):
        return Piece(Kind.PKCS12, content, encoding)
    try:
        element = der_reader.element_at(content, 0, end=len(content))
        kind = kind_of(element)
        parts = tuple(islice(signed_data_parts(element), MAX_PIECES)) if kind is Kind.PKCS7 else ()
    except InputError as error:
        return _unknown(content, error.message, encoding)
    if kind is Kind.UNKNOWN:
        return _unknown(content, "DER of a structure that is none of those known here", encoding)
    rest = content[element.end :]
    own = element.whole if rest else content
    if kind is Kind.PKCS7:
        return Piece(kind, own, encoding, inside=tuple(_from_der(part.whole, Encoding.DER) for part in parts))
    problem = f"{len(rest)} bytes after its end" if rest and kind is not Kind.CERTIFICATE else None
    return Piece(kind, own, encoding, problem=problem, auxiliary=rest if kind is Kind.CERTIFICATE else b"")


def _unknown(content: bytes, problem: str, encoding: Encoding = Encoding.DER) -> Piece:
    return Piece(Kind.UNKNOWN, content, encoding, problem=problem)


def _what_else(content: bytes) -> str:
    """Say what a file is that is none of ours, when its beginning tells."""
    for beginning, what in _FOREIGN:
        if content.startswith(beginning):
            return what
    if b"\x00" in content[:512]:
        return "binary content of an unknown kind"
    if b"{" in content and b";" in content:
        return "text without any PEM block, by its looks a configuration"
    return "text without any PEM block"


CERTIFICATE_LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")
_LABELS = {
    **dict.fromkeys(CERTIFICATE_LABELS, Kind.CERTIFICATE),
    "CERTIFICATE REQUEST": Kind.CSR,
    "NEW CERTIFICATE REQUEST": Kind.CSR,
    "X509 CRL": Kind.CRL,
    "PRIVATE KEY": Kind.PRIVATE_KEY,
    "RSA PRIVATE KEY": Kind.PRIVATE_KEY,
    "EC PRIVATE KEY": Kind.PRIVATE_KEY,
    "DSA PRIVATE KEY": Kind.PRIVATE_KEY,
    "ENCRYPTED PRIVATE KEY": Kind.ENCRYPTED_PRIVATE_KEY,
    "PUBLIC KEY": Kind.PUBLIC_KEY,
    "RSA PUBLIC KEY": Kind.PUBLIC_KEY,
    "PKCS7": Kind.PKCS7,
    "CMS": Kind.PKCS7,
    "PKCS #7 SIGNED DATA": Kind.PKCS7,
    "PKCS12": Kind.PKCS12,
}
_FOREIGN_LABELS = {
    "OPENSSH PRIVATE KEY": "an OpenSSH private key, which no TLS program reads (ssh-keygen -p -m PKCS8 converts)",
    "SSH2 PUBLIC KEY": "an SSH public key, which TLS programs do not read",
    "PGP PUBLIC KEY BLOCK": "a PGP public key, which has nothing to do with X.509",
    "PGP PRIVATE KEY BLOCK": "a PGP private key, which has nothing to do with X.509",
    "PGP MESSAGE": "a PGP message, which has nothing to do with X.509",
    "OpenVPN Static key V1": "an OpenVPN static key, which has nothing to do with X.509",
}
_FOREIGN = (
    (b"\xfe\xed\xfe\xed", "a Java keystore in the old JKS form (keytool -importkeystore -deststoretype pkcs12)"),
    (b"\xce\xce\xce\xce", "a Java keystore in the old JCEKS form (keytool -importkeystore -deststoretype pkcs12)"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip file"),
    (b"ssh-", "an SSH public key, which TLS programs do not read"),
    (b"ecdsa-sha2-", "an SSH public key, which TLS programs do not read"),
    (b"<?xml", "an XML document"),
    (b"bplist00", "a binary property list"),
)
