"""``/metrics`` for Prometheus: the counters of this process, and what the store says, the same from every replica.

A scrape makes a few look-ups. The two counts that grow with what was issued are made beside it: the log of key uses is
counted forward every quarter of a minute, and revocations once a minute at most.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.responses import Response
from starlette.routing import Route

from counterseal.authority.readiness import CAState, read_cas
from counterseal.errors import CountersealError
from counterseal.moments import moment
from counterseal.service.parts import Face, Service, Upkeep
from counterseal.service.probe import Probe
from counterseal.store.tally import (
    CERTIFICATE,
    CRL,
    FACES,
    Tally,
    add_tallies,
    count_key_uses,
    key_use_tallies,
    revoked_by_reason,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from prometheus_client.core import Metric
    from starlette.requests import Request

    from counterseal.authority.parts import Authority

TALLY_SECONDS = 15.0
STEP = 5_000
"""Entries of the log counted in one go; a log that was never counted is caught up with in steps."""

REVOKED_SECONDS = 60.0


def metrics_face(service: Service, own_certificate_ends: Callable[[], datetime] | None = None) -> Face:
    """Return the face for Prometheus; it has a listener of its own, because it tells a stranger too much."""
    scraping = Scraping(service, own_certificate_ends)
    routes = [Route("/metrics", scraping.answer, methods=["GET"])]
    works = [Upkeep("count revocations", REVOKED_SECONDS, scraping.count_revoked)]
    if not service.access.reads_only:
        works.append(Upkeep("count key uses", TALLY_SECONDS, scraping.count))
    return Face(routes, works, scraping.start)


class Scraping:
    """Answers scrapes, and counts beside them."""

    def __init__(self, service: Service, own_certificate_ends: Callable[[], datetime] | None) -> None:
        self._service = service
        self._own_ends = own_certificate_ends
        self._stored = Probe(self._look)
        self._revoked: tuple[tuple[str, str, int], ...] = ()

    async def start(self) -> None:
        """Have both counts before the first scrape; with a standby the first one is made at the primary."""
        if not self._service.access.reads_only:
            await self.count()
        await self.count_revoked()

    async def count(self) -> None:
        """Count the log of key uses to its end; of several replicas that count at once one adds."""
        access = self._service.access
        while uncounted := await access.apart(lambda authority: count_key_uses(authority.store, limit=STEP)):
            await access.write(lambda authority, counted=uncounted: add_tallies(authority.store, counted))  # type: ignore[misc] # bound now

    async def count_revoked(self) -> None:
        """Count what is revoked."""
        self._revoked = await self._service.access.apart(lambda authority: revoked_by_reason(authority.store))

    async def answer(self, request: Request) -> Response:
        """Answer a scrape in the format that it accepts: Prometheus' text, or OpenMetrics.

        A store that does not answer is told, beside what the process knows itself.
        """
        stored = await self._stored.answer()
        registry = CollectorRegistry()
        registry.register(self._service.metrics.registry)
        up = Gauge("counterseal_db_up", "Whether the store answered this scrape", registry=registry)
        up.set(stored is not None)
        if stored is not None:
            registry.register(stored)
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"Content-Type": media_type, "Cache-Control": "no-store"})

    async def _look(self) -> Stored | None:
        try:
            return await self._service.access.apart(self._read)
        except CountersealError:
            return None

    def _read(self, authority: Authority) -> Stored:
        ends = self._own_ends() if self._own_ends else None
        now, tallies, cas = authority.clock(), key_use_tallies(authority.store), read_cas(authority)
        return Stored(now, cas, (*_begun(authority, cas), *tallies), self._revoked, ends)


def _begun(authority: Authority, cas: Sequence[CAState]) -> Iterator[Tally]:
    """Yield a count of 0 for what may come: Prometheus sees no increase of a counter that begins with 1."""
    profiles = [one for one in authority.rules.profiles.values() if not one.probe]
    for state in cas:
        name, purpose = state.record.name, state.record.purpose
        yield Tally(name, CRL, "", "", 0)
        if state.issues:
            for profile in profiles:
                if profile.purpose == purpose:
                    yield from (Tally(name, CERTIFICATE, profile.name, face, 0) for face in FACES)


@dataclass(frozen=True, slots=True)
class Stored(Collector):
    """What the store said at one moment, as metrics."""

    at: datetime
    cas: tuple[CAState, ...]
    tallies: tuple[Tally, ...]
    revoked: tuple[tuple[str, str, int], ...]
    own_ends: datetime | None

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of the store."""
        yield from self._counted()
        yield from self._ends()
        yield from self._lists()

    def _counted(self) -> Iterator[Metric]:
        issued = CounterMetricFamily(
            "counterseal_certificates_issued",
            "Certificates issued by whichever process, by profile, issuer and the face that asked",
            labels=["profile", "issuer", "face"],
        )
        uses = CounterMetricFamily(
            "counterseal_key_uses", "Uses of CA keys in the log, by purpose", labels=["ca", "purpose"]
        )
        by_purpose: Counter[tuple[str, str]] = Counter()
        by_face: Counter[tuple[str, str, str]] = Counter()
        for one in self.tallies:
            by_purpose[one.ca, one.purpose] += one.times
            if one.purpose == CERTIFICATE:
                by_face[one.profile, one.ca, one.face] += one.times
        for (profile, ca, face), times in by_face.items():
            issued.add_metric([profile, ca, face], times)
        for (ca, purpose), times in by_purpose.items():
            uses.add_metric([ca, purpose], times)
        revoked = GaugeMetricFamily(
            "counterseal_certificates_revoked",
            "Certificates that are revoked or on hold now, by reason",
            labels=["issuer", "reason"],
        )
        for issuer, reason, count in self.revoked:
            revoked.add_metric([issuer, reason], count)
        return iter((issued, uses, revoked))

    def _ends(self) -> Iterator[Metric]:
        about = "Until a CA ends; negative after; of one that is not active there is nothing to renew"
        cas = GaugeMetricFamily("counterseal_ca_seconds_left", about, labels=["ca", "state"])
        for state in self.cas:
            cas.add_metric([state.record.name, state.record.state], (state.not_after - self.at).total_seconds())
        yield cas
        keys = GaugeMetricFamily("counterseal_ca_key_here", "Whether the CA's key is in the key store", labels=["ca"])
        for state in self.cas:
            keys.add_metric([state.record.name], int(state.key_here))
        yield keys
        if self.own_ends is not None:
            own = GaugeMetricFamily("counterseal_own_certificate_seconds_left", "Until the service's own ends")
            own.add_metric([], (self.own_ends - self.at).total_seconds())
            yield own

    def _lists(self) -> Iterator[Metric]:
        age = GaugeMetricFamily("counterseal_crl_age_seconds", "Since the newest list was signed", labels=["ca"])
        left = GaugeMetricFamily("counterseal_crl_seconds_left", "Until its nextUpdate; negative after", labels=["ca"])
        number = GaugeMetricFamily("counterseal_crl_number", "Its CRL number (RFC 5280 5.2.3)", labels=["ca"])
        entries = GaugeMetricFamily("counterseal_crl_entries", "Certificates on it", labels=["ca"])
        for state in self.cas:  # who is under one that has ended, or was revoked, is refused whatever its list says
            if state.crl is not None and state.not_after > self.at and state.record.revoked_at is None:
                labels = [state.record.name]
                age.add_metric(labels, (self.at - moment(state.crl.this_update)).total_seconds())
                left.add_metric(labels, (moment(state.crl.next_update) - self.at).total_seconds())
                number.add_metric(labels, state.crl.number)
                entries.add_metric(labels, state.crl.entries)
        return iter((age, left, number, entries))
