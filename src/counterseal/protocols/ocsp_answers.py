"""The responders of this process, and the answers they have signed.

A signed answer is used again as long as the store says what it says, of the certificate and of its CAs, so a revocation
by whatever process is seen with the next request: each looks into the store, or knows that nothing was committed, or of
these certificates nothing announced, since somebody did (``Access.recall``). So time never decides whether an answer is
true, only when it is signed anew: half of its time over, or ahead of that where it was asked for, so that nobody waits
for a signature.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.responder import (
    current_responder,
    ensure_responder,
    places_above,
    status_of,
    status_under,
)
from counterseal.errors import CountersealError, StoreError
from counterseal.pki.crl import RevocationReason
from counterseal.pki.ocsp import CertificateStatus, issuer_ids
from counterseal.pki.ocsp_answer import answer
from counterseal.service.log import log, log_error
from counterseal.service.problems import PASSING
from counterseal.store.announcements import certificate_subject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from counterseal.authority.parts import Authority
    from counterseal.authority.responder import Responder
    from counterseal.pki.ocsp import Asked
    from counterseal.pki.ocsp_answer import Answered
    from counterseal.protocols.ocsp_rules import OCSPRules
    from counterseal.service.parts import Service
    from counterseal.store.records import CARecord

    Key = tuple[str, str, int]
    """The CA, the hash by which the certificate is named, its serial number."""

    Question = tuple[str, Callable[[Authority], CertificateStatus | None]]

KEPT = 20_000
"""Signed answers kept in memory, each about a kilobyte; beyond that the oldest go."""

AHEAD_STEP = 500
"""Answers signed ahead at most in one go, one at a time in a thread: a twentieth of a second of it."""

RENEW = timedelta(minutes=5)

_UNKNOWN, _GOOD = CertificateStatus(known=False), CertificateStatus(known=True)

AHEAD, STALE = 0.4, 0.5
"""The shares of an answer's time after which it is signed ahead, and after which it is not used any more."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed answer: DER, what was asked of the first certificate and what it says of it, and its two times."""

    content: bytes
    asked: Asked
    status: CertificateStatus
    responder: Responder
    this_update: datetime
    next_update: datetime


class Answers:
    """Who signs for which CA, and what was signed."""

    def __init__(self, service: Service, rules: OCSPRules) -> None:
        self._service = service
        self._rules = rules
        self._issuers: dict[tuple[str, bytes, bytes], str] = {}
        self._responders: dict[str, Responder] = {}
        self._above: dict[str, tuple[tuple[str, int], ...]] = {}
        self._kept: OrderedDict[Key, Signed] = OrderedDict()
        self._asked_for: set[Key] = set()
        self._final: OrderedDict[tuple[str, int], CertificateStatus] = OrderedDict()
        self._renewed = datetime.min.replace(tzinfo=UTC)

    async def renew_in_time(self) -> None:
        """Do so when five minutes are over by the clock, also because it was set, or the machine has slept."""
        if not timedelta() <= self._service.clock() - self._renewed < RENEW:
            await self.renew()

    async def renew(self) -> None:
        """Have a responder for every CA; one that fails leaves the others.

        A CA whose key has been taken away is answered for by the responder that it certified before.
        """
        cas = await self._service.access.read(_living)
        self._renewed = self._service.clock()
        for ca in cas:
            try:
                await self._renew(ca)
            except CountersealError as error:
                log_error("no ocsp responder", ca=ca.name, code=error.code, reason=error.message)

    def answers_for(self, name: str) -> bool:
        """Whether there is a responder for the CA of this name."""
        return name in self._responders

    def ca_of(self, asked: Sequence[Asked]) -> str | None:
        """Return the name of the CA that a request names; None where it is not ours, and for several CAs.

        A responder signs for the CA that has certified it (RFC 6960 4.2.2.2), so nobody could sign one answer for all.
        """
        named = {self._issuers.get(one.issuer) for one in asked}
        return named.pop() if len(named) == 1 else None

    def can_sign(self, ca: str) -> bool:
        """Whether the CA's responder has not expired; where it has, no new one could be certified: the log says why."""
        return self._responders[ca].certificate.not_valid_after_utc > self._service.clock()

    def get(self, ca: str, asked: Asked, status: CertificateStatus) -> tuple[Key, Signed]:
        """Return a signed answer that says this, a kept one where there is one, and its key for ``look``."""
        key = (ca, asked.hash_name, asked.serial_number)
        kept = self._kept.get(key)
        if kept is None or kept.status != status or not self._is_usable(ca, kept, STALE):
            kept = self._keep(key, self.sign(ca, [(asked, status)]))
        self._asked_for.add(key)
        return key, kept

    async def status(self, ca: str, serial_number: int) -> CertificateStatus:
        """Return what the store says of a certificate, and of the CAs above it: one revoked takes it along."""
        try:
            found = [await self._service.access.recall(*one) for one in self._questions(ca, serial_number)]
        except StoreError as error:
            final = self._final.get((ca, serial_number))
            if final is None or error.code not in PASSING:
                raise
            return final
        return self._noted(ca, serial_number, _standing(found))

    def status_at_once(self, ca: str, serial_number: int) -> CertificateStatus | None:
        """Return the same of a certificate that is known; None where that takes more than a look."""
        found = [self._service.access.look(*one) for one in self._questions(ca, serial_number)]
        return None if None in found else self._noted(ca, serial_number, _standing(found))

    def _noted(self, ca: str, serial_number: int, status: CertificateStatus) -> CertificateStatus:
        """Return the status; if nothing takes it back it is said also while the store is away, unlike every other."""
        if status.known and status.revoked_at is not None and status.reason is not RevocationReason.CERTIFICATE_HOLD:
            self._final[ca, serial_number] = status
            while len(self._final) > KEPT:
                self._final.popitem(last=False)
        return status

    def _questions(self, ca: str, serial_number: int) -> list[Question]:
        return [_question(*place) for place in (*self._above[ca], (ca, serial_number))]

    def look(self, key: Key) -> Signed | None:
        """Return the kept answer if it still stands, and that can be said at once."""
        kept, ca = self._kept.get(key), key[0]
        if kept is None or not self._is_usable(ca, kept, STALE):
            return None
        if self.status_at_once(ca, key[2]) != kept.status:
            return None
        self._asked_for.add(key)
        return kept

    def sign(self, ca: str, answered: Sequence[Answered]) -> Signed:
        """Return a new answer about certificates of one CA."""
        responder, now = self._responders[ca], self._service.clock().replace(microsecond=0)
        until = min(now + self._rules.lifetime, responder.certificate.not_valid_after_utc)
        content = answer(answered, responder.certificate, responder.signer, this_update=now, next_update=until)
        return Signed(content, *answered[0], responder, now, until)

    async def sign_ahead(self) -> None:
        """Sign anew what was asked for and is soon too old, and forget what nobody has asked for since it was signed.

        The kept ones are in the order in which they were signed, so the first that is young enough is the end.
        """
        for key, kept in list(islice(self._kept.items(), AHEAD_STEP)):
            if self._is_usable(key[0], kept, AHEAD):
                return
            if self._kept.get(key) is not kept:
                continue  # somebody asked meanwhile
            if key not in self._asked_for or not self.can_sign(key[0]):
                del self._kept[key]
                continue
            await self._sign_again(key, kept)

    async def _sign_again(self, key: Key, kept: Signed) -> None:
        ca = key[0]
        status = await self.status(ca, key[2])
        signed = await self._service.access.sign(lambda: self.sign(ca, [(kept.asked, status)]))
        self._asked_for.discard(key)
        self._keep(key, signed)

    def _keep(self, key: Key, signed: Signed) -> Signed:
        self._kept[key] = signed
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT:
            oldest, _ = self._kept.popitem(last=False)
            self._asked_for.discard(oldest)
        return signed

    def _is_usable(self, ca: str, kept: Signed, share: float) -> bool:
        """Whether its time has begun, less than this share of it is over, and its responder is still the CA's.

        A clock that was ahead has dated it to a time that may not have come: until then nobody takes it.
        """
        end = kept.this_update + (kept.next_update - kept.this_update) * share
        return kept.this_update <= self._service.clock() < end and kept.responder is self._responders[ca]

    async def _renew(self, ca: CARecord) -> None:
        access, name = self._service.access, ca.name
        responder = await access.read(lambda authority: current_responder(authority, name))
        if responder is None and await access.read(lambda authority: authority.keystore.has(ca.key_id)):
            responder = await access.apart(lambda authority: ensure_responder(authority, name))
            log("ocsp responder certified", ca=name, until=responder.certificate.not_valid_after_utc)
        if responder is None:
            return
        known = self._responders.get(name)
        if known is None or known.certificate != responder.certificate:  # what one has signed is used while it is here
            self._above[name] = await access.read(lambda authority: places_above(authority, ca))
            self._responders[name] = responder
            self._issuers |= dict.fromkeys(issuer_ids(x509.load_der_x509_certificate(ca.certificate)), name)


def _standing(found: Sequence[CertificateStatus | None]) -> CertificateStatus:
    """Return what is to be said of the last of these, each of which stands under the one before it."""
    standing = _GOOD
    for own in found:
        standing = status_under(own or _UNKNOWN, standing)
    return standing


def _question(ca: str, serial_number: int) -> Question:
    """Return what is asked of the store; None for what is unknown, because the first certificate is not announced."""

    def ask(authority: Authority) -> CertificateStatus | None:
        status = status_of(authority, ca, serial_number)
        return status if status.known else None

    return certificate_subject(ca, serial_number), ask


def _living(authority: Authority) -> list[CARecord]:
    """Return the CAs that have not ended."""
    cas, now = authority.store.cas(), authority.clock()
    return [one for one in cas if x509.load_der_x509_certificate(one.certificate).not_valid_after_utc > now]
