"""Which rows a site is tried with: a pure function of the site as it was meant and of the identities at hand.

A row that cannot be tried is still in the plan and says why; a row that means nothing for the site (an expired
certificate where none is asked for) is not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from counterseal.handshake.backend_rows import backend_rows
from counterseal.handshake.catalogue import CATALOGUE
from counterseal.handshake.expectations import expected
from counterseal.handshake.observation import HEADERS_PATH, Attempt, ProbeIdentity
from counterseal.handshake.rows import Row, RowKind
from counterseal.pki.names import is_ip_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.handshake.observation import Endpoint, TLSVersion
    from counterseal.handshake.site import Identities, SiteFacts

UNKNOWN_NAME = "counterseal-unknown.invalid"
_PROBE_LABEL = "counterseal-probe"
_END_OF_CERTIFICATE = b"-----END CERTIFICATE-----"
_TLS_VERSIONS: tuple[TLSVersion, ...] = ("1.2", "1.3")
_UNDER_A_PATH = ("probe.php", "probe.png", "probe/probe")  # what regex and nested locations like to take over
_PRETENDED = (("X-SSL-Client-Verify", "SUCCESS"), ("X-SSL-Client-S-DN", "CN=admin"))
_SHOWN_WITH_PATH = frozenset({RowKind.PROTECTED_WITHOUT, RowKind.PROTECTED_GOOD})


def plan(facts: SiteFacts, identities: Identities, *, timeout: float = 5.0) -> tuple[Row, ...]:
    """Return the rows for the site, in the order in which they are shown; ``timeout`` is per attempt, in seconds."""
    rows: list[Row] = []
    for endpoint in facts.endpoints:
        for version in facts.tls_versions:
            rows += _Planner(facts, identities, endpoint, version, timeout).rows_per_version()
        rows += _Planner(facts, identities, endpoint, facts.tls_versions[-1], timeout).rows_per_endpoint()
    for endpoint in facts.plain_http:
        rows.append(_Planner(facts, identities, endpoint, facts.tls_versions[-1], timeout).redirect())
    return tuple(rows)


def probe_name(server_name: str) -> str:
    """Return a name that a client can ask for: of a wildcard, one below it (nginx's ``*.`` and leading ``.`` forms)."""
    if server_name.startswith("*."):
        return f"{_PROBE_LABEL}.{server_name[2:]}"
    return server_name.removeprefix(".")


def attempt_as(
    facts: SiteFacts, identity: ProbeIdentity | None, *, endpoint: Endpoint, tls_version: TLSVersion, timeout: float
) -> Attempt:
    """Return the plain attempt at the site as this client: right SNI, right Host, the path that probes ask."""
    name = probe_name(facts.server_name)
    return Attempt(
        endpoint=endpoint,
        server_name=name,
        host_header=_host_header(name, endpoint),
        path=facts.path,
        tls_version=tls_version,
        identity=identity,
        timeout=timeout,
    )


def _host_header(name: str, endpoint: Endpoint) -> str:
    shown = f"[{name}]" if ":" in name else name
    return shown if endpoint.port in {80, 443} else f"{shown}:{endpoint.port}"


@dataclass(frozen=True, slots=True)
class _Planner:
    facts: SiteFacts
    identities: Identities
    endpoint: Endpoint
    version: TLSVersion
    timeout: float

    def rows_per_version(self) -> Iterator[Row]:
        yield self._server()
        yield self._row(RowKind.NO_CERTIFICATE, self._attempt(None))
        yield self._client(RowKind.GOOD, self.identities.good)
        if self.facts.client_certificates != "none":
            yield from self._bad_clients()
            yield from self._sessions()
            yield from self._rivals()
        yield from self._names()
        for path in self.facts.protected_paths:
            yield from self._protected(path)
        if self.facts.identity_headers:
            yield from self._forged_headers()

    def rows_per_endpoint(self) -> Iterator[Row]:
        if self.facts.client_certificates != "none":
            yield from self._leavers()
            yield from self._early_data()
        if self.facts.stapling is not None:
            yield self._staple()
        if self.facts.backend is not None:
            yield from backend_rows(self.facts.backend, self.identities.backends, self._admitted(), self._blank)
        for version in _TLS_VERSIONS:
            if version not in self.facts.tls_versions:
                yield self._row(RowKind.TLS_VERSION, replace(self._attempt(None), tls_version=version))
        yield self._row(RowKind.PLAIN_ON_TLS_PORT, replace(self._attempt(None), plain=True))

    def redirect(self) -> Row:
        return self._row(RowKind.REDIRECT, replace(self._attempt(None, path="/"), plain=True))

    def _server(self) -> Row:
        if self.facts.trust_anchors is None:
            return self._skipped(RowKind.SERVER, "no trust anchor given for the server's certificate")
        return self._row(RowKind.SERVER, replace(self._attempt(None), trust_anchors=self.facts.trust_anchors))

    def _staple(self) -> Row:
        """Ask in one version: nginx gives the same response in each."""
        asking = replace(self._attempt(None), tls_version=self.facts.tls_versions[0])
        return self._row(RowKind.STAPLE, replace(asking, trust_anchors=self.facts.trust_anchors))

    def _bad_clients(self) -> Iterator[Row]:
        good = self.identities.good
        if good is not None and good.certificate_chain.count(_END_OF_CERTIFICATE) > 1:
            yield self._client(RowKind.GOOD_WITHOUT_CHAIN, _without_chain(good))
        yield self._client(RowKind.EXPIRED, self.identities.expired)
        yield self._client(RowKind.FOREIGN, self.identities.foreign)
        yield self._client(RowKind.SERVER_PURPOSE, self.identities.server_purpose)
        yield self._client(RowKind.OTHER_CLIENT_CA, self.identities.other_client_ca)
        if self.facts.known_only:
            yield self._client(RowKind.UNLISTED, self.identities.unlisted)
        yield self._client(RowKind.REVOKED, self.identities.revoked)
        for ca, identity in self.identities.revoked_cas.items():
            yield self._of_revoked_ca(ca, identity)

    def _of_revoked_ca(self, ca: str, identity: ProbeIdentity | None) -> Row:
        kind = RowKind.REVOKED_CA
        if identity is None:
            row = self._skipped(kind, "the key of the CA is not here to make one")
        else:
            row = self._row(kind, self._attempt(identity))
        return replace(row, title=f"{row.title}: {ca}")

    def _sessions(self) -> Iterator[Row]:
        good = self.identities.good
        if good is None:
            return
        again = self._attempt(good)
        if not self.facts.resumption:
            yield self._row(RowKind.RESUMPTION, again, first=again)
        for name in self.facts.other_server_names[:1]:
            first = replace(
                again, server_name=probe_name(name), host_header=_host_header(probe_name(name), self.endpoint)
            )
            yield self._row(RowKind.CROSS_SITE_RESUMPTION, again, first=first)

    def _rivals(self) -> Iterator[Row]:
        """Yield what a good client of another site on the socket, whose CA this one does not admit, may try."""
        rival, identity = self.facts.rival_server_name, self.identities.other_client_ca
        if rival is None or identity is None:
            return
        knocking, name = self._attempt(identity), probe_name(rival)
        yield self._row(RowKind.RIVAL_SNI, replace(knocking, server_name=name))
        first = replace(knocking, server_name=name, host_header=_host_header(name, self.endpoint))
        yield self._row(RowKind.RIVAL_RESUMPTION, knocking, first=first)

    def _leavers(self) -> Iterator[Row]:
        leaver = self.identities.leaver
        if leaver is None:
            yield self._skipped(RowKind.RESUMED_AFTER_REVOCATION, "no client was revoked in this run")
            return
        for version in self.facts.tls_versions:
            session = leaver.session_for(self.endpoint, version)
            attempt = replace(self._attempt(leaver.identity), tls_version=version, session=session)
            row = self._row(RowKind.RESUMED_AFTER_REVOCATION, attempt)
            yield replace(row, expected=expected(RowKind.REVOKED_CA, self.facts)) if leaver.with_its_ca else row

    def _early_data(self) -> Iterator[Row]:
        """Yield whoever gets a ticket: TLS 1.3 has early data, and nginx takes none in a stream."""
        if self.version == "1.3" and not self.facts.is_stream:
            yield self._row(RowKind.EARLY_DATA, self._attempt(self.identities.good))

    def _names(self) -> Iterator[Row]:
        if self.facts.is_stream:
            return  # one server on the socket, whatever name a client sends
        if not self.facts.is_ours and self.facts.client_certificates != "required":
            return  # somebody else's default server may well answer everybody
        attempt = self._attempt(self.identities.good if self.facts.is_ours else None)
        if is_ip_address(self.facts.server_name):
            yield self._skipped(RowKind.NO_SNI, "the site is named by an address, and clients send no SNI for one")
        else:
            yield self._row(RowKind.NO_SNI, replace(attempt, server_name=None))
        yield self._row(RowKind.UNKNOWN_SNI, replace(attempt, server_name=UNKNOWN_NAME))
        if self.facts.client_certificates == "none":
            return
        for name in self.facts.other_server_names[:1]:
            yield self._row(RowKind.OTHER_SNI, replace(attempt, server_name=probe_name(name)))

    def _protected(self, path: str) -> Iterator[Row]:
        base = path if path.endswith("/") else f"{path}/"
        for below in dict.fromkeys((path, *(base + name for name in _UNDER_A_PATH))):
            pretending = replace(self._attempt(None, path=below), headers=_PRETENDED)
            yield self._row(RowKind.PROTECTED_WITHOUT, pretending)
        good = self.identities.good
        if good is None:
            yield self._skipped(RowKind.PROTECTED_GOOD, self._missing(RowKind.PROTECTED_GOOD))
        else:
            listed = any(f"{path.rstrip('/')}/".startswith(f"{over.rstrip('/')}/") for over in self.facts.listed_paths)
            facts = replace(self.facts, has_allow=self.facts.has_allow or listed)
            row = self._row(RowKind.PROTECTED_GOOD, self._attempt(good, path=path))
            yield replace(row, expected=expected(RowKind.PROTECTED_GOOD, facts))

    def _forged_headers(self) -> Iterator[Row]:
        if self.facts.prove_socket is None:
            yield self._skipped(RowKind.FORGED_HEADERS, "the site has no socket on which the prover is its upstream")
            return
        if self.facts.client_certificates != "required":
            yield self._row(RowKind.FORGED_HEADERS, self._attempt(None, path=HEADERS_PATH))
        if self.facts.client_certificates != "none":
            yield self._client(RowKind.FORGED_HEADERS, self.identities.good, path=HEADERS_PATH)

    def _client(self, kind: RowKind, identity: ProbeIdentity | None, *, path: str | None = None) -> Row:
        if identity is None:
            return self._skipped(kind, self._missing(kind))
        return self._row(kind, self._attempt(identity, path=path))

    def _attempt(self, identity: ProbeIdentity | None, *, path: str | None = None) -> Attempt:
        made = attempt_as(self.facts, identity, endpoint=self.endpoint, tls_version=self.version, timeout=self.timeout)
        return made if path is None else replace(made, path=path)

    def _admitted(self) -> Attempt | None:
        if self.facts.client_certificates == "required" and self.identities.good is None:
            return None
        return self._attempt(self.identities.good if self.facts.client_certificates != "none" else None)

    def _row(self, kind: RowKind, attempt: Attempt, *, first: Attempt | None = None) -> Row:
        version = None if attempt.plain else attempt.tls_version
        row = replace(self._blank(kind), tls_version=version, attempt=attempt, first=first, backend=self._backend())
        return replace(row, title=f"{row.title}: {attempt.path}") if kind in _SHOWN_WITH_PATH else row

    def _backend(self) -> ProbeIdentity | None:
        """Return whom the prover plays while a client knocks: the right backend behind a stream, if we can make one."""
        backends = self.identities.backends
        return (backends.good or backends.foreign) if self.facts.is_stream else None

    def _missing(self, kind: RowKind) -> str:
        if kind is RowKind.OTHER_CLIENT_CA:
            return "there is no client CA with its key here that the site does not admit"
        if self.identities.revoked_cas and self.identities.good is None:
            return "every client CA of the site that is in force is revoked"
        return "no identity of this kind at hand"

    def _skipped(self, kind: RowKind, reason: str) -> Row:
        return replace(self._blank(kind), skipped=reason)

    def _blank(self, kind: RowKind) -> Row:
        return Row(
            kind=kind,
            site=self.facts.site,
            endpoint=self.endpoint,
            tls_version=self.version,
            title=CATALOGUE[kind].title,
            expected=expected(kind, self.facts),
            why=CATALOGUE[kind].why,
            client_certificates=self.facts.client_certificates,
            is_stream=self.facts.is_stream,
        )


def _without_chain(identity: ProbeIdentity) -> ProbeIdentity:
    first, end, _ = identity.certificate_chain.partition(_END_OF_CERTIFICATE)
    return replace(identity, certificate_chain=first + end + b"\n")
