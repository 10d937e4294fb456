"""What is broken in a way that ``nginx -t`` passes is not deployed: the proof fails, the old bytes serve on."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from broken_sites import BROKEN_SITES, BrokenSite
from counterseal.errors import DeployError
from counterseal.fileset import SECRET, FileSet, PlannedFile
from counterseal.handshake.generation import wait_for_generation
from counterseal.handshake.rows import RowKind
from counterseal.nginx.deploy import ProofOutcome, deploy
from counterseal.nginx.generations import read_current
from counterseal.nginx.process import NginxProcess
from counterseal.nginx.target import private_target
from counterseal.nginx.undo import Limits, Place
from counterseal.nginx.waiting import system_clock
from prove_bench import ProveBench, nginx_binaries, nginx_version, prove_kind
from prove_pki import DOMAIN

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.nginx
RUN_FILES = (
    "nginx.pid",
    "error.log",
    "access.log",
    "prove.sock",
    "unused.sock",
    "body",
    "proxy",
    "fastcgi",
    "uwsgi",
    "scgi",
    "temp",
)
CODES = {"deploy.proof_failed", "deploy.not_answering", "deploy.test_failed"}
TRIED = [broken for broken in BROKEN_SITES if broken.takes in {None, "reload"}]
CASES = [
    pytest.param(broken, fitting[number % len(fitting)], id=f"{broken.name}-{number % len(fitting)}")
    for number, broken in enumerate(TRIED)
    if (fitting := [one for one in nginx_binaries().values() if broken.since <= nginx_version(one) < broken.before])
]
"""Every one on one nginx, and on each every second one: that the proof sees it on all is tested without a deploy."""


@pytest.mark.parametrize(("broken", "binary"), CASES)
def test_a_broken_site_is_not_deployed(
    broken: BrokenSite, binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row that sees it passed before, and makes the deploy fail; link and served generation are the old ones."""
    monkeypatch.setattr("counterseal.handshake.staple_watch.PATIENCE", 0.2)  # whoever never answers is asked twice
    with ProveBench(tmp_path / "bench", binary) as bench:
        base = tmp_path / "nginx"
        place = _place(base, bench, seconds=30)
        try:
            _deploy(bench, place, broken)
            bench.break_site(broken)
            place = _place(base, bench, seconds=3)
            with pytest.raises(DeployError) as caught:
                _deploy(bench, place, broken)
            assert caught.value.code in CODES, caught.value.message
            assert read_current(base) == 1
            answered = wait_for_generation(bench.endpoints[0], 1, server_name=f"panel.{DOMAIN}", timeout=30)
            assert answered.answered
        finally:
            place.nginx.stop(within=30)


def _place(base: Path, bench: ProveBench, seconds: float) -> Place:
    def answers(number: int) -> bool:
        name = f"panel.{DOMAIN}"
        return wait_for_generation(bench.endpoints[0], number, server_name=name, timeout=seconds).answered

    process = NginxProcess(private_target(base, binary=bench.binary), system_clock())
    return Place(base, process, answers, Limits(lock=30, test=30, reload=30, answer=seconds, stop=30))


def _deploy(bench: ProveBench, place: Place, broken: BrokenSite) -> None:
    site, is_broken = broken.site, read_current(place.base) is not None
    identities = bench.pki.identities
    seen_by = RowKind.RESUMPTION if broken.takes else broken.row  # nobody leaves here, and sessions show all the same

    def outcome(number: int) -> ProofOutcome:
        bench.generation = number
        facts = replace(bench.facts(site), prove_socket=place.base / "run" / "prove.sock")
        facts = replace(facts, tls_versions=broken.tls_versions) if is_broken else facts
        proof = prove_kind(seen_by, facts, identities)
        return ProofOutcome(proof.passed, "; ".join(f"{r.row.kind}: {r.observed}" for r in proof.failed), proof)

    deploy(
        lambda number: _files(bench, place.base, broken if is_broken else None, number),
        place=place,
        prove=outcome,
        reason="test",
    )


def _files(bench: ProveBench, base: Path, broken: BrokenSite | None, number: int) -> FileSet:
    """Return the bench's files as a generation: what nginx writes at run time goes to the run directory."""
    marks = {"USER": "user root;" if os.geteuid() == 0 else "", "GENERATION": str(number)}
    marks |= dict(zip(("TLS", "TLS2", "PLAIN"), map(str, bench.ports), strict=True))
    planned = []
    for name, text in bench.texts.items():
        filled = text.replace("daemon off;", "")
        for file in RUN_FILES:
            filled = filled.replace(f"@DIR@/{file}", f"{base}/run/{file}")
        for mark, value in (marks | {"DIR": f"{base}/current"}).items():
            filled = filled.replace(f"@{mark}@", value)
        planned.append(PlannedFile(name, filled.encode()))
    right = replace(broken, files=None) if broken else BROKEN_SITES[0]
    contents = bench.files_of(broken or replace(right, files=None), leaver_revoked=False)
    return FileSet((*planned, *(PlannedFile(name, content, SECRET) for name, content in contents.items())))
