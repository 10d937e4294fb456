"""What nginx makes of a session that is offered again, by its directives, and what is said of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from counterseal.handshake.examine import Examination, examine, watch
from counterseal.handshake.explain.resumption import (
    NO_SESSION,
    NUMBER_NOT_FOUND,
    RESUMED,
    TICKET_NOT_TAKEN,
    resumption_of,
)
from counterseal.handshake.trace.dial import Dial
from prove_bench import ProveBench, nginx_binaries
from prove_pki import DOMAIN, identity_of

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.handshake.observation import TLSVersion

pytestmark = pytest.mark.nginx
HOST = f"panel.{DOMAIN}"
VERSIONS: tuple[TLSVersion, ...] = ("1.2", "1.3")
SHARED = "ssl_session_cache shared:tls:1m;"
CASES = (
    ("ssl_session_cache off; ssl_session_tickets off;", NO_SESSION, NUMBER_NOT_FOUND),
    ("ssl_session_cache none; ssl_session_tickets off;", NUMBER_NOT_FOUND, NUMBER_NOT_FOUND),
    ("ssl_session_cache none; ssl_session_tickets on;", RESUMED, RESUMED),
    (f"{SHARED} ssl_session_tickets off;", RESUMED, RESUMED),
)
"""Directives, and what is said then in TLS 1.2 and in TLS 1.3, which has no way to give out nothing in nginx."""


def knock(bench: ProveBench, version: TLSVersion) -> Dial:
    """Return a good client's connection."""
    good = identity_of("good", bench.pki.good, bench.pki.client_ca)
    return Dial(bench.endpoints[0], HOST, HOST, tls_version=version, identity=good, timeout=30)


def install(bench: ProveBench, sessions: str) -> None:
    """Write the right site with these directives about sessions."""
    text = re.sub(r"ssl_session_tickets off;\s*ssl_session_cache off;", sessions, bench.texts["nginx.conf"])
    assert sessions in text
    bench.texts["nginx.conf"] = text
    bench.install(bench.pki.files(leaver_revoked=False))


def second_names(examination: Examination) -> set[str]:
    """Return the messages of the second handshake by their kind."""
    assert examination.resumed is not None
    return {type(one.message).__name__ for one in examination.resumed.decoded}


@pytest.mark.parametrize("binary", nginx_binaries().values(), ids=nginx_binaries())
@pytest.mark.parametrize("case", CASES, ids=[sessions for sessions, *_ in CASES])
def test_a_session_that_is_offered_again(binary: Path, case: tuple[str, str, str], tmp_path: Path) -> None:
    """Certificates go by in the second handshake exactly when it is a full one."""
    sessions, *expected = case
    with ProveBench(tmp_path, binary) as bench:
        install(bench, sessions)
        bench.start()
        for version, words in zip(VERSIONS, expected, strict=True):
            found = examine(knock(bench, version), resume=True)
            assert resumption_of(found) == words
            if words is not NO_SESSION:
                certificates = {"Certificate", "CertificateRequest", "CertificateVerify"}
                assert second_names(found) & certificates == (set() if words is RESUMED else certificates)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ticket_under_another_key(version: TLSVersion, tmp_path: Path) -> None:
    """Behind a reload nginx has other keys: the ticket is not taken, and the handshake is a full one."""
    with ProveBench(tmp_path, next(iter(nginx_binaries().values()))) as bench:
        install(bench, "ssl_session_cache none; ssl_session_tickets on;")
        bench.start()
        first = watch(knock(bench, version))
        assert first.trace.session is not None
        bench.reload()
        second = watch(replace(knock(bench, version), session=first.trace.session))
    assert resumption_of(Examination(knock(bench, version), first, resume=True, resumed=second)) == TICKET_NOT_TAKEN
