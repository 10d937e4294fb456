"""What a revocation list says: whose, which, for how long, how many entries and the first of them (RFC 5280 5)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING

from counterseal.pki.crl import RevocationReason
from counterseal.pki.crl_reader import count_reasons, parse_facts, revocations
from counterseal.pki.describe.certificate import Validity, validity_of
from counterseal.pki.describe.extensions import ExtensionFacts, describe_extensions
from counterseal.pki.describe.oids import oid_name
from counterseal.pki.extensions import read_extensions
from counterseal.pki.reading import load_crl
from counterseal.pki.shown import show_serial
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from datetime import datetime

FIRST_ENTRIES = 5


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """One revoked certificate; a reason that is absent reads as unspecified (RFC 5280 5.3.1)."""

    serial_number: str
    revoked_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class CRLFacts:
    """A list in words; ``seconds_left`` is None when it names no next update."""

    issuer: str
    number: int | None
    this_update: datetime
    next_update: datetime | None
    validity: Validity
    seconds_left: int | None
    entries: int
    first_entries: tuple[EntryFacts, ...]
    reasons: dict[str, int]
    signature_algorithm: str
    sha256: str
    extensions: tuple[ExtensionFacts, ...]
    extensions_problem: str | None = None


def describe_crl(content: bytes, *, at: datetime) -> CRLFacts:
    """Return what the DER list says, seen at the moment ``at``; raises InputError ``crl.malformed``.

    Whatever its length, only its first entries become objects.
    """
    facts, read = parse_facts(content), load_crl(content)
    first, end = islice(revocations(content), FIRST_ENTRIES), facts.next_update
    extensions, problem = read_extensions(read)
    return CRLFacts(
        issuer=show_subject(facts.issuer),
        number=facts.number,
        this_update=facts.this_update,
        next_update=end,
        validity=validity_of(facts.this_update, end, at),
        seconds_left=int((end - at).total_seconds()) if end else None,
        entries=facts.count,
        first_entries=tuple(
            EntryFacts(show_serial(one.serial_number), one.revoked_at, one.reason or "unspecified") for one in first
        ),
        reasons={reason or RevocationReason.UNSPECIFIED: count for reason, count in count_reasons(content).items()},
        signature_algorithm=oid_name(read.signature_algorithm_oid.dotted_string),
        sha256=sha256(content).hexdigest(),
        extensions=describe_extensions(extensions) if extensions else (),
        extensions_problem=problem,
    )
