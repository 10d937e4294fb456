"""Rows of one shape: their certificates differ in nothing but key, serial number and plain names.

The first of a shape in each second goes the long way: policy and every lint rule judge the very certificate. What they
say depends on the profile, the issuer and its path, the time, the lifetime, the group, the kind of key, which
extensions there are and which kinds of names stand in them: all this is the same for the whole shape. What is left are
the rules that look at the text of a name (``subject_values``, ``control_characters``, ``name_syntax``,
``alternative_names_once``) and at the number (``serial_number``). They are answered here for each row: by an alphabet
of which RFC 4514 escapes nothing, and by the functions that policy and the rules call themselves. ``name_constraints``
compares each name with the path: where a CA has some, no row is plain. The rules about names of servers do not concern
clients. A row that is not plain, and so every row with a fault, goes the long way too; nothing is refused here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509

from counterseal.errors import InputError
from counterseal.pki.keys import P256
from counterseal.pki.lint.issuance import MAX_SERIAL_OCTETS, MIN_SERIAL_BITS
from counterseal.pki.lint.linted import extension_of
from counterseal.pki.names import parse_text
from counterseal.pki.profile import Purpose
from counterseal.pki.template import (
    ORGANIZATIONAL_UNIT,
    Template,
    before_common_name,
    general_names,
    key_identifier,
    p256_public_key,
    relative_name,
)
from counterseal.store.records import CertificateRecord

if TYPE_CHECKING:
    from datetime import timedelta

    from counterseal.authority.batch.order import BatchOrder
    from counterseal.authority.batch.rows import ClientRow
    from counterseal.pki.certificate import Issuer

_PLAIN = re.compile(r"[A-Za-z0-9._:@/-]([A-Za-z0-9 ._:@/-]{0,62}[A-Za-z0-9._:@/-])?")  # at most 64 (RFC 5280 A.1)

Shape = tuple["str | None", "timedelta | None", tuple[str, ...]]
"""Group, lifetime and kinds of names: what may differ between the plain rows of one batch."""


class PlainRow(NamedTuple):
    """A row whose names passed their rules: kind and value of each, and the shape of its certificate."""

    shape: Shape
    common_name: str
    names: tuple[tuple[str, str], ...]


def has_shapes(order: BatchOrder, above: Issuer) -> bool:
    """Whether any row of this batch can be plain: P-256 keys, clients, no rule that compares names with something."""
    constrained = any(extension_of(ca, x509.NameConstraints) for ca in above.path)
    profile = order.profile
    return order.key == P256 and profile.purpose is Purpose.CLIENT and not (constrained or profile.permitted_domains)


def plain(order: BatchOrder, row: ClientRow) -> PlainRow | None:
    """Return the row as a plain one, or None."""
    if row.subject is not None or not _PLAIN.fullmatch(row.name):
        return None
    try:
        names = tuple(dict.fromkeys(map(parse_text, row.names)))
    except InputError:
        return None
    kinds = tuple([kind for kind, value in names if not value.startswith("*.")])
    if len(kinds) < len(names):
        return None
    return PlainRow((row.group or order.group, row.lifetime or order.lifetime, kinds), row.name, names)


@dataclass(frozen=True, slots=True)
class Model:
    """A certificate that was judged, as the template of others of its shape."""

    template: Template
    group: bytes
    after_common_name: str
    record: CertificateRecord = field(repr=False)

    @classmethod
    def of(cls, row: PlainRow, template: Template, record: CertificateRecord) -> Model:
        """Return the model that a judged ``row`` is, with its template and the record that will be stored of it."""
        group, *_ = row.shape
        return cls(
            template,
            relative_name(ORGANIZATIONAL_UNIT, group) if group else b"",
            record.subject.removeprefix(f"CN={row.common_name}"),
            record,
        )

    def fill(self, row: PlainRow, serial_number: int, point: bytes) -> tuple[bytes, CertificateRecord]:
        """Return TBSCertificate and record of another row of this shape; ``point`` is its public key, uncompressed."""
        common_name = row.common_name.encode()
        tbs = self.template.fill(
            serial_number,
            subject=before_common_name(self.group, len(common_name)) + common_name,
            public_key=p256_public_key(point),
            key_identifier=key_identifier(point),
            names=general_names(row.names) if row.names else b"",
        )
        subject = f"CN={row.common_name}{self.after_common_name}"
        names = tuple([f"{kind}:{value}" for kind, value in row.names])
        (_, issuer, _, _, _, *same) = self.record
        record = CertificateRecord._make((serial_number, issuer, row.common_name, subject, names, *same))
        return tbs, record


def is_unguessable(serial_number: int) -> bool:
    """Whether the rule about serial numbers has nothing to say of this one."""
    return MIN_SERIAL_BITS <= serial_number.bit_length() < MAX_SERIAL_OCTETS * 8
