"""Reading certificate revocation lists of any length by one pass over their DER (RFC 5280 section 5.1).

Decides what a list says, not whether it is believed: the signature is checked elsewhere. No object is made for an
entry unless it is asked for, because lists of a million entries are normal here.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.errors import InputError
from counterseal.pki import der, der_reader
from counterseal.pki.crl import REASON_NUMBERS, RevocationReason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from counterseal.pki.der_reader import Element

_REASONS = {number: reason for reason, number in REASON_NUMBERS.items()}
_TIMES = frozenset({der.UTC_TIME, der.GENERALIZED_TIME})
_CRL_NUMBER, _AUTHORITY_KEY_IDENTIFIER, _REASON_CODE = "2.5.29.20", "2.5.29.35", "2.5.29.21"
_ALGORITHM_AND_ISSUER = 2  # SEQUENCEs of a TBSCertList before that of the entries
_LONG = 0x80  # a length octet from here on announces further ones
_ENDINGS = {
    der.sequence(der.extension(_REASON_CODE, der.enumerated(number), critical=False)): reason
    for number, reason in _REASONS.items()
}
_ENDING_LENGTH = len(next(iter(_ENDINGS)))
_WITHOUT_EXTENSIONS = 17  # octets beside those of the serial number: its header, and a UTCTime


@dataclass(frozen=True, slots=True)
class CRLFacts:
    """What stands around the entries of a list, and how many there are."""

    issuer: x509.Name
    number: int | None
    this_update: datetime
    next_update: datetime | None
    count: int
    authority_key_identifier: bytes | None


@dataclass(frozen=True, slots=True)
class Revocation:
    """One entry, read; a reason outside RFC 5280 reads as unspecified, an absent one as None."""

    serial_number: int
    revoked_at: datetime
    reason: RevocationReason | None


def parse_facts(crl: bytes) -> CRLFacts:
    """Return the facts of a DER list; raises InputError ``crl.malformed``."""
    with _malformed():
        fields = _fields(crl)
        extensions = _extension_values(fields.extensions and _only_child(fields.extensions))
        number, authority = extensions.get(_CRL_NUMBER), extensions.get(_AUTHORITY_KEY_IDENTIFIER)
        return CRLFacts(
            issuer=x509.Name.from_bytes(fields.issuer.whole),
            number=None if number is None else der_reader.as_integer(der_reader.read(number)),
            this_update=der_reader.as_time(fields.this_update),
            next_update=None if fields.next_update is None else der_reader.as_time(fields.next_update),
            count=0 if fields.entries is None else _count(fields.entries),
            authority_key_identifier=None if authority is None else _key_identifier(authority),
        )


def revoked_serials(crl: bytes) -> set[int]:
    """Return the serial numbers of a DER list, for look-ups; raises InputError ``crl.malformed``."""
    with _malformed():
        entries = _fields(crl).entries
        return set() if entries is None else _serials(entries)


def revocations(crl: bytes) -> Iterator[Revocation]:
    """Yield the entries of a DER list in its order, one at a time; raises InputError ``crl.malformed``."""
    with _malformed():
        entries = _fields(crl).entries
        position, end = (0, 0) if entries is None else (entries.start, entries.end)
        while position < end:
            entry = der_reader.element_at(crl, position, end=end)
            yield _revocation(entry)
            position = entry.end


def update_times(crl: bytes) -> tuple[Element, ...]:
    """Return the elements of this and next update of a DER list as they stand; raises InputError ``crl.malformed``."""
    with _malformed():
        fields = _fields(crl)
        return (fields.this_update,) if fields.next_update is None else (fields.this_update, fields.next_update)


def count_reasons(crl: bytes) -> dict[RevocationReason | None, int]:
    """Return how many entries of a DER list give each reason, by one pass; raises InputError ``crl.malformed``."""
    with _malformed():
        entries = _fields(crl).entries
        return {} if entries is None else _reasons(entries)


def encoded_entries(crl: bytes) -> memoryview:
    """Return all entries of a DER list as they stand, without a copy: the first item of the next `crl.sign_crl`."""
    start, end = entries_at(crl)
    return memoryview(crl)[start:end]


def entries_at(crl: bytes) -> tuple[int, int]:
    """Return where the entries of a DER list begin and end, twice 0 where it has none; raises ``crl.malformed``."""
    with _malformed():
        entries = _fields(crl).entries
        return (0, 0) if entries is None else (entries.start, entries.end)


def signed_parts(crl: bytes) -> tuple[memoryview, bytes]:
    """Return what is signed of a DER list, without a copy, and the signature; raises InputError ``crl.malformed``."""
    with _malformed():
        signed, _, signature = der_reader.read(crl).expect(der.SEQUENCE).children()
        return memoryview(crl)[signed.first : signed.end], signature.expect(der.BIT_STRING).content[1:]


def without_entries(crl: bytes) -> bytes:
    """Return a DER list with its entries left out, for who reads what stands around them; raises ``crl.malformed``.

    The signature stays that of the whole list. Whether what is left is a list is for the one who reads it.
    """
    with _malformed():
        signed, *others = der_reader.read(crl).expect(der.SEQUENCE).children()
        sequences = [field for field in signed.children() if field.tag == der.SEQUENCE]
        if len(sequences) <= _ALGORITHM_AND_ISSUER:
            return crl
        entries = sequences[_ALGORITHM_AND_ISSUER]
        around = der.sequence(crl[signed.start : entries.first], crl[entries.end : signed.end])
        return der.sequence(around, *(other.whole for other in others))


@dataclass(frozen=True, slots=True)
class _Fields:
    """TBSCertList, taken apart but not read."""

    issuer: Element
    this_update: Element
    next_update: Element | None
    entries: Element | None
    extensions: Element | None


def _fields(crl: bytes) -> _Fields:
    parts = der_reader.read(crl).expect(der.SEQUENCE).children()
    if [part.tag for part in parts] != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
        der_reader.refuse("not a list, an algorithm and a signature", 0)
    fields = parts[0].children()

    def take(*tags: int) -> Element | None:
        return fields.pop(0) if fields and fields[0].tag in tags else None

    take(der.INTEGER)  # version, absent in version 1
    algorithm, issuer, this_update = take(der.SEQUENCE), take(der.SEQUENCE), take(*_TIMES)
    next_update, entries, extensions = take(*_TIMES), take(der.SEQUENCE), take(0xA0)
    if algorithm is None or issuer is None or this_update is None or fields:
        der_reader.refuse("the fields are not those of a revocation list", parts[0].first)
    return _Fields(issuer, this_update, next_update, entries, extensions)


def _extension_values(wrapped: Element | None) -> dict[str, bytes]:
    """Return the value of each extension below ``[0] Extensions`` or, in an entry, below ``Extensions`` itself."""
    if wrapped is None:
        return {}
    values = {}
    for extension in wrapped.children():
        parts = extension.expect(der.SEQUENCE).children()
        if len(parts) not in {2, 3}:  # the middle one, critical, may be left out
            der_reader.refuse("no extension", extension.first)
        values[der_reader.as_object_identifier(parts[0])] = parts[-1].expect(der.OCTET_STRING).content
    return values


def _only_child(element: Element) -> Element:
    return der_reader.read(element.content).expect(der.SEQUENCE)


def _key_identifier(value: bytes) -> bytes | None:
    parts = der_reader.read(value).expect(der.SEQUENCE).children()
    return next((part.content for part in parts if part.tag == 0x80), None)  # noqa: PLR2004 - [0] keyIdentifier


def _count(entries: Element) -> int:
    data, position, end = entries.data, entries.start, entries.end
    count = 0
    while position < end:
        length = data[position + 1]  # there is always one: the signature follows the entries
        if length < _LONG and data[position] == der.SEQUENCE:
            position += 2 + length
        else:
            position = der_reader.element_at(data, position, end=end).expect(der.SEQUENCE).end
        count += 1
    if position != end:
        der_reader.refuse("entry reaches past the list", end)
    return count


def _serials(entries: Element) -> set[int]:
    """Read the first INTEGER of every entry; short forms by hand, because a million of them are read at start-up."""
    data, position, end = entries.data, entries.start, entries.end
    found = set()
    while position < end:
        tag, length, inner_tag, octets = data[position : position + 4]
        if tag == der.SEQUENCE and length < _LONG and inner_tag == der.INTEGER and 0 < octets <= length - 2:
            found.add(int.from_bytes(data[position + 4 : position + 4 + octets], "big", signed=True))
            position += 2 + length
        else:
            entry = der_reader.element_at(data, position, end=end).expect(der.SEQUENCE)
            found.add(_serial_number(entry))
            position = entry.end
    if position != end:
        der_reader.refuse("entry reaches past the list", end)
    return found


def _reasons(entries: Element) -> dict[RevocationReason | None, int]:
    """Tell an entry's reason by how it ends; whatever is not of one of the usual forms is read in full."""
    data, position, end = entries.data, entries.start, entries.end
    bare, ended, others = 0, Counter[bytes](), Counter[RevocationReason | None]()
    while position < end:
        tag, length, serial_tag, octets = data[position : position + 4]
        following, is_short = position + 2 + length, tag == der.SEQUENCE and length < _LONG
        if is_short and serial_tag == der.INTEGER and length == octets + _WITHOUT_EXTENSIONS:
            bare += 1
        elif is_short and (ending := data[following - _ENDING_LENGTH : following]) in _ENDINGS:
            ended[ending] += 1
        else:
            entry = der_reader.element_at(data, position, end=end)
            others[_revocation(entry).reason] += 1
            following = entry.end
        position = following
    if position != end:
        der_reader.refuse("entry reaches past the list", end)
    return dict(others + Counter({_ENDINGS[ending]: count for ending, count in ended.items()}) + Counter({None: bare}))


def _serial_number(entry: Element) -> int:
    return der_reader.as_integer(der_reader.element_at(entry.data, entry.start, end=entry.end))


def _revocation(entry: Element) -> Revocation:
    parts = entry.expect(der.SEQUENCE).children()
    if len(parts) not in {2, 3}:  # the last one, extensions, may be left out
        der_reader.refuse("no entry", entry.first)
    code = _extension_values(parts[2] if parts[2:] else None).get(_REASON_CODE)
    return Revocation(
        serial_number=der_reader.as_integer(parts[0]),
        revoked_at=der_reader.as_time(parts[1]),
        reason=None if code is None else _reason(code),
    )


def _reason(code: bytes) -> RevocationReason:
    number = der_reader.as_integer(der_reader.read(code).expect(der.ENUMERATED))
    return _REASONS.get(number, RevocationReason.UNSPECIFIED)


@contextmanager
def _malformed() -> Iterator[None]:
    try:
        yield
    except (InputError, ValueError) as error:
        reason = error.message if isinstance(error, InputError) else str(error)
        raise InputError("crl.malformed", f"not a readable certificate revocation list: {reason}") from error
