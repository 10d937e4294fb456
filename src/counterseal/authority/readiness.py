"""Whether the CA can do its work now: every key answers, no list has ended.

Nothing here uses a CA key: a signer is asked for its public key, which must be that of the CA's certificate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.parts import ROOT
from counterseal.errors import CountersealError
from counterseal.findings import Finding, Severity
from counterseal.moments import moment, show_moment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from counterseal.authority.parts import Authority
    from counterseal.store.records import CARecord, CRLTimes


@dataclass(frozen=True, slots=True)
class CAState:
    """A CA and its list as they stand: when each ends, and whether the CA's key is here."""

    record: CARecord
    certificate: x509.Certificate
    key_here: bool
    crl: CRLTimes | None

    @property
    def not_after(self) -> datetime:
        """The end of the CA's certificate."""
        return self.certificate.not_valid_after_utc

    @property
    def issues(self) -> bool:
        """Whether it is one that issues: a root's key may lie in a safe."""
        return self.record.state == "active" and self.record.purpose != ROOT


def read_cas(authority: Authority) -> tuple[CAState, ...]:
    """Return every CA with its list; a handful of look-ups, however much was issued."""
    return tuple(
        CAState(
            record,
            x509.load_der_x509_certificate(record.certificate),
            authority.keystore.has(record.key_id),
            authority.store.latest_crl_times(record.name),
        )
        for record in authority.store.cas()
    )


def find_unready(authority: Authority, *, signs: bool = True) -> tuple[Finding, ...]:
    """Return what keeps the CA from its work; one that has ended, or was revoked, has none.

    Who does not sign needs none of the CAs' keys.
    """
    now = authority.clock()
    living = (state for state in read_cas(authority) if state.not_after > now and state.record.revoked_at is None)
    return tuple(fault for state in living for fault in _faults(authority, state, now, signs=signs))


def _faults(authority: Authority, state: CAState, now: datetime, *, signs: bool) -> Iterator[Finding]:
    name = state.record.name
    if signs and state.key_here:
        yield from _key_faults(authority, state)
    elif signs and state.issues:
        yield _fault("ready.key_missing", name, "the CA's key is not here, so it can sign nothing", "bring it back")
    if state.crl is not None and moment(state.crl.next_update) <= now:
        ended = f"list {state.crl.number} ended {show_moment(moment(state.crl.next_update))}"
        yield _fault(
            "ready.crl_ended",
            name,
            ended,
            "counterseal crl, with the CA's key at hand; or: counterseal ca import-crl FILE",
        )


def _key_faults(authority: Authority, state: CAState) -> Iterator[Finding]:
    try:
        public_key = authority.keystore.signer(state.record.key_id).public_key
    except CountersealError as error:
        yield _fault("ready.key_closed", state.record.name, error.message, error.hint)
        return
    if public_key != state.certificate.public_key():
        told = "the key that is kept for this CA is another one's"
        yield _fault("ready.key_foreign", state.record.name, told, "bring the right key back from a backup")


def _fault(code: str, ca: str, message: str, hint: str | None) -> Finding:
    return Finding(code, Severity.CRITICAL, message, where=f"CA {ca}", hint=hint)
