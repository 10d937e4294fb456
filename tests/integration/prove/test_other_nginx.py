"""Somebody else's nginx: no pages of ours, read by its status and stock pages."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from counterseal.handshake.generation import wait_for_generation
from counterseal.handshake.prove import prove
from counterseal.handshake.rows import RowKind
from counterseal.handshake.site import Identities
from prove_bench import ProveBench, nginx_binaries

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from counterseal.handshake.generation import GenerationWait
    from counterseal.handshake.observation import Endpoint, Observation
    from counterseal.handshake.site import SiteFacts

pytestmark = pytest.mark.nginx
BINARIES = nginx_binaries()
ours = pytest.mark.parametrize("binary", BINARIES.values(), ids=list(BINARIES))


@ours
def test_a_right_site_without_our_pages_passes(binary: Path, tmp_path: Path) -> None:
    """Stock pages say enough: no certificate and a bad one are told apart from an application's answer."""
    with ProveBench(tmp_path, binary) as bench:
        bench.texts["pages.conf"] = ""
        bench.install(bench.pki.files(leaver_revoked=False))
        bench.start()
        proof = prove(stranger(bench, "panel"), bench.pki.identities)
        shut = prove(stranger(bench, "panel", "other"), bench.pki.identities)
    assert [(r.row.title, r.observed, r.cause) for r in proof.failed] == []
    observed = {r.row.kind: r.observed for r in proof.rows}
    assert observed[RowKind.NO_CERTIFICATE] == "400 Bad Request, verify=NONE"
    assert observed[RowKind.EXPIRED] == "400 Bad Request, verify=FAILED"
    assert RowKind.NO_CERTIFICATE in {r.row.kind for r in shut.failed}


@ours
def test_a_refusal_without_a_reason_says_where_to_look(binary: Path, tmp_path: Path) -> None:
    """A stock page does not say why; the list of CAs still tells another CA's file."""
    with ProveBench(tmp_path, binary) as bench:
        bench.texts["pages.conf"] = ""
        bench.install(bench.pki.files(leaver_revoked=False) | bench.pki.variant("crl-expired", leaver_revoked=False))
        bench.start()
        proof = prove(stranger(bench, "panel"), bench.pki.identities)
    assert "does not say why" in next(r.cause or "" for r in proof.failed if r.row.kind is RowKind.GOOD)


@ours
def test_refusing_by_403_is_right_where_the_site_is_not_ours(binary: Path, tmp_path: Path) -> None:
    """``error_page 495 496 =403`` is the reference configuration of many."""
    with ProveBench(tmp_path, binary) as bench:
        bench.texts["pages.conf"] = "error_page 495 496 =403 @denied; location @denied { return 403 denied; }"
        bench.install(bench.pki.files(leaver_revoked=False))
        bench.start()
        proof = prove(stranger(bench, "panel"), bench.pki.identities)
    assert [(r.row.title, r.observed, r.cause) for r in proof.failed] == []


@ours
def test_early_data_is_told_to_whoever_comes(binary: Path, tmp_path: Path) -> None:
    """Also to a stranger who has no certificate that the site admits; nothing else is wrong with it."""
    with ProveBench(tmp_path, binary) as bench:
        bench.texts["nginx.conf"] = bench.texts["nginx.conf"].replace("http {", "http { ssl_early_data on;")
        bench.install(bench.pki.files(leaver_revoked=False))
        bench.start()
        proof = prove(stranger(bench, "panel"), Identities(foreign=bench.pki.identities.foreign))
    assert [(r.row.kind, r.observed) for r in proof.failed] == [(RowKind.EARLY_DATA, "offered, up to 16384 octets")]


def patiently(endpoint: Endpoint, name: str, seen: Callable[[Observation], bool]) -> GenerationWait:
    """Wait in vain for generation 2, as briefly as this machine can see something meanwhile."""
    waits = (wait_for_generation(endpoint, 2, server_name=name, timeout=seconds) for seconds in (0.3, 3, 30))
    return next(wait for wait in waits if seen(wait.last))


@ours
def test_waiting_for_a_generation(binary: Path, tmp_path: Path) -> None:
    """The wait ends when the new one answers, and says so when it never does."""
    with ProveBench(tmp_path, binary) as bench:
        bench.install(bench.pki.files(leaver_revoked=False))
        bench.start()
        endpoint, name = bench.endpoints[0], "panel.prove.test"
        never = patiently(endpoint, name, lambda seen: seen.generation is not None)
        bench.generation = 2
        bench.install(bench.pki.files(leaver_revoked=False))
        reloading = threading.Thread(target=bench.reload)
        reloading.start()
        then = wait_for_generation(endpoint, 2, server_name=name, timeout=30)
        reloading.join()
        gone = patiently(endpoint, "nobody.test", lambda seen: seen.alert is not None)
    assert (never.answered, never.last.generation) == (False, 1)
    assert (then.answered, then.last.generation) == (True, 2)
    assert (gone.answered, gone.last.alert) == (False, "unrecognized_name")


def stranger(bench: ProveBench, site: str, name: str | None = None) -> SiteFacts:
    """Return a site's facts as a visitor knows them; ``name`` asks another one than is meant."""
    facts = replace(
        bench.facts(site), generation=None, identity_headers=False, revocation=None, endpoints=bench.endpoints[:1]
    )
    return replace(facts, server_name=re.sub(r"^\w+", name, facts.server_name)) if name else facts
