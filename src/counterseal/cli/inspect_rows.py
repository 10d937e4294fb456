"""The labelled lines of each kind of thing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from counterseal.authority.inspected import PKCS12Facts, PrivateKeyFacts, Thing
from counterseal.duration import show_duration
from counterseal.moments import show_moment
from counterseal.pki.describe.certificate import CertificateFacts, Validity
from counterseal.pki.describe.crl import CRLFacts
from counterseal.pki.describe.csr import CSRFacts
from counterseal.pki.describe.key import KeyFacts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from counterseal.pki.encryption import Scheme

Row = tuple[str, str]


def rows_of(thing: Thing) -> Iterator[Row]:
    """Yield what is known of a thing, a label and a value a line."""
    match thing.facts:
        case CertificateFacts() as facts:
            yield from _certificate(facts, thing)
        case CSRFacts() as facts:
            yield from _csr(facts, thing)
        case CRLFacts() as facts:
            yield from _crl(facts, thing)
        case PrivateKeyFacts() as facts:
            yield from _private_key(facts, thing)
        case KeyFacts() as facts:
            yield from _key(facts)
        case PKCS12Facts() as facts:
            yield from _pkcs12(facts, thing)


def left_of(seconds: int) -> str:
    """Return the time that is left in words, or that it is over."""
    return show_duration(timedelta(seconds=seconds)) if seconds >= 0 else "expired"


def _certificate(facts: CertificateFacts, thing: Thing) -> Iterator[Row]:
    yield "use", facts.purpose
    yield "subject", facts.subject or "empty"
    yield "issued by", "itself" if facts.self_issued else facts.issuer + _at(thing.issued_by)
    yield from _lifetime(facts.not_before, facts.not_after, facts.validity, facts.seconds_left)
    yield "key", _shown_key(facts.key) + (f"; its private key is {thing.key_at}" if thing.key_at else "")
    yield "signed with", facts.signature_algorithm
    yield "serial", facts.serial_number
    yield from (("called", thing.friendly_name),) if thing.friendly_name else ()
    yield "names", ", ".join(facts.names) or "none"
    yield "SHA-256", ":".join(facts.sha256[at : at + 2].upper() for at in range(0, len(facts.sha256), 2))
    yield "SHA-1", facts.sha1 if facts.is_ca else f"{facts.sha1} (as nginx has it in $ssl_client_fingerprint)"
    yield "key SHA-256", facts.key.spki_sha256 or "unknown"
    yield from (("here", thing.known_as),) if thing.known_as else ()


def _csr(facts: CSRFacts, thing: Thing) -> Iterator[Row]:
    yield "subject", facts.subject or "empty"
    yield "names", ", ".join(facts.names) or "none"
    yield "key", _shown_key(facts.key) + (f"; its private key is {thing.key_at}" if thing.key_at else "")
    proof = (
        "and verifies"
        if facts.signature_verifies
        else "and DOES NOT VERIFY: nothing proves that the key is the sender's"
    )
    yield "signed with", f"{facts.signature_algorithm}, {proof}"
    yield "key SHA-256", facts.key.spki_sha256 or "unknown"
    yield from (("attributes", ", ".join(facts.attributes)),) if facts.attributes else ()


def _crl(facts: CRLFacts, thing: Thing) -> Iterator[Row]:
    yield "issuer", facts.issuer + (f", signature verified by {thing.issued_by}" if thing.issued_by else "")
    yield "number", "none" if facts.number is None else str(facts.number)
    yield from _lifetime(facts.this_update, facts.next_update, facts.validity, facts.seconds_left)
    yield "signed with", facts.signature_algorithm
    yield "SHA-256", facts.sha256
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(facts.reasons.items(), key=lambda one: -one[1]))
    yield "entries", f"{facts.entries:,}{f': {reasons}' if reasons else ''}"
    for number, entry in enumerate(facts.first_entries):
        yield (
            "" if number else "the first",
            f"{entry.serial_number}  {show_moment(entry.revoked_at)}  {entry.reason}",
        )


def _lifetime(begin: datetime, end: datetime | None, validity: Validity, seconds_left: int | None) -> Iterator[Row]:
    if end is None or seconds_left is None:
        yield "valid", f"from {show_moment(begin)}, with no end"
        return
    length = show_duration(timedelta(seconds=abs(seconds_left)))
    words = {
        Validity.VALID: f"{length} left",
        Validity.EXPIRED: f"EXPIRED {length} ago",
        Validity.NOT_YET_VALID: "NOT YET VALID",
    }
    yield "valid", f"{begin:%Y-%m-%d %H:%M} to {show_moment(end)}, {words[validity]}"


def _key(facts: KeyFacts) -> Iterator[Row]:
    yield "key", _shown_key(facts)
    yield "key SHA-256", facts.spki_sha256 or "unknown"


def _private_key(facts: PrivateKeyFacts, thing: Thing) -> Iterator[Row]:
    yield "encrypted", _scheme(facts.encryption) if facts.encryption else "no"
    if facts.key is None:
        yield "key", f"not opened: {_what_it_needs(thing)}"
    else:
        yield from _key(facts.key)


def _pkcs12(facts: PKCS12Facts, thing: Thing) -> Iterator[Row]:
    protection = facts.protection
    yield "strength", facts.strength or "neither modern nor compatible"
    yield "MAC", _scheme(protection.mac) if protection.mac else "none: changes go unnoticed"
    yield "key", _scheme(protection.key) if protection.key else "unencrypted" if protection.open_keys else "none"
    yield "certificates", _scheme(protection.certificates) if protection.certificates else "unencrypted"
    yield from (("called", ", ".join(protection.friendly_names)),) if protection.friendly_names else ()
    yield "opened", "yes, what it holds follows" if facts.opened else f"no: {_what_it_needs(thing)}"


def _what_it_needs(thing: Thing) -> str:
    return "the password is wrong" if thing.password_is_wrong else "needs its password (--password-file)"


def _scheme(scheme: Scheme) -> str:
    return scheme.words if scheme.rounds is None else f"{scheme.words}, {scheme.rounds:,} rounds"


def _shown_key(key: KeyFacts) -> str:
    return key.kind if key.strength is None else f"{key.kind}, strength {key.strength} bits"


def _at(place: str | None) -> str:
    return f" ({place})" if place else ""
