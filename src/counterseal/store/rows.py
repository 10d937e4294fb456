"""Between the values of this room and the columns of its tables.

Decides how a serial number, a list of names and a record are laid down, and what a certificate can be found by.
It must not know SQL beyond column order.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from counterseal.errors import InputError
from counterseal.pki.shown import show_serial
from counterseal.store.records import CertificateRecord, Reservation, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = tuple[Any, ...]

SERIAL_OCTETS = 20  # RFC 5280 4.1.2.2
FORWARD, BACKWARD = 0, 1

CERTIFICATE_COLUMNS = (
    "serial_number, issuer, name, subject, names, profile, group_name, status, not_before, not_after, der,"
    " created_at, created_by, revoked_at, revocation_reason"
)

_ESCAPES = {"\\": "\\", "\n": "n", "\0": "0"}
_UNESCAPES = {letter: character for character, letter in _ESCAPES.items()}
_SPECIAL = re.compile(r"[\\\n\0]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ATTRIBUTE = re.compile(r"(?:\\.|[^,+\\])+", re.DOTALL)  # between unescaped commas and pluses (RFC 4514 3)


def encode_serial(serial_number: int) -> bytes:
    """Return 20 octets, big-endian; raises InputError for one that RFC 5280 does not allow."""
    try:
        return serial_number.to_bytes(SERIAL_OCTETS, "big")
    except OverflowError as error:
        raise InputError(
            "store.serial_range",
            f"serial number out of range: {show_serial(serial_number)}",
            hint="a serial number is not negative and has at most 20 octets (RFC 5280 4.1.2.2)",
        ) from error


def decode_serial(octets: bytes) -> int:
    """Return the serial number that ``encode_serial`` laid down."""
    return int.from_bytes(octets, "big")


def show_serials(column: Iterator[bytes]) -> Iterator[str]:
    """Yield such serial numbers as nginx shows them, in lower case: a million, so without the number in between."""
    return ((octets.lstrip(b"\0") or b"\0").hex() for octets in column)


def encode_names(names: tuple[str, ...]) -> str:
    """Return the names one to a line; a backslash, line feed or NUL inside one is escaped."""
    special = _SPECIAL.search("".join(names))
    return "\n".join(map(_escape, names) if special else names)


def decode_names(text: str) -> tuple[str, ...]:
    """Return the names that ``encode_names`` laid down."""
    if not text:
        return ()
    lines = text.split("\n")
    return tuple(lines) if "\\" not in text else tuple(_unescape(line) for line in lines)


def certificate_columns(record: CertificateRecord) -> Row:
    """Return the record in the order of ``CERTIFICATE_COLUMNS``."""
    number, issuer, name, subject, names, profile, group, status, *rest = record
    return (encode_serial(number), issuer, name, subject, encode_names(names), profile, group, str(status), *rest)


def reserved_columns(one: Reservation) -> Row:
    """Return a reservation in the order of ``CERTIFICATE_COLUMNS``."""
    number, issuer, name, profile, created_at, created_by = one
    certificate = (None, None, profile, None, str(Status.RESERVED), None, None, None)
    return (encode_serial(number), issuer, name, *certificate, created_at, created_by, None, None)


def certificate_record(row: Row) -> CertificateRecord:
    """Return the record in a row of ``CERTIFICATE_COLUMNS``."""
    serial, issuer, name, subject, names, profile, group, status, not_before, not_after, *rest = row
    return CertificateRecord(
        int.from_bytes(serial, "big"),
        issuer,
        name,
        subject or "",
        decode_names(names or ""),
        profile,
        group,
        Status(status),
        not_before or 0,
        not_after or 0,
        *rest,
    )


def search_values(record: CertificateRecord) -> tuple[set[str], set[str]]:
    """Return what the certificate can be found by, in lower case: as written, and read from its end.

    As written: its name, subject, common names and names. From the end only domain names and mail addresses.
    """
    domains = {_searchable(record.name), *map(_searchable, _common_names(record.subject))}
    others = {_searchable(record.subject)}
    for name in record.names:
        kind, _, value = name.partition(":")
        (domains if kind in {"DNS", "email"} else others).add(_searchable(value))
    forward = domains | others
    forward.discard("")
    return forward, {backward(value) for value in domains if "." in value or "@" in value}


def backward(value: str) -> str:
    """Return a domain name label by label from its end, a mail address with its local part last."""
    local, at, domain = value.rpartition("@")
    return ".".join(reversed(domain.split("."))) + at + local


def _searchable(value: str) -> str:
    return value.lower().replace("\0", "\ufffd")


def _common_names(subject: str) -> Iterator[str]:
    """Yield the CN values of an RFC 4514 string."""
    plain = "\\" not in subject and "+" not in subject  # the usual one needs no grammar
    attributes = subject.split(",") if plain else _ATTRIBUTE.findall(subject)
    for attribute in attributes:
        kind, _, value = attribute.partition("=")
        if kind.strip().upper() == "CN":
            yield _ESCAPED.sub(r"\1", value) if "\\" in value else value


def _escape(name: str) -> str:
    return _SPECIAL.sub(lambda match: "\\" + _ESCAPES[match[0]], name)


def _unescape(line: str) -> str:
    return _ESCAPED.sub(lambda match: _UNESCAPES[match[1]], line)
