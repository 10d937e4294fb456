"""Sites that are right pass every row, on each nginx at hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from counterseal.handshake.prove import prove
from counterseal.handshake.sessions import remember_session
from prove_bench import ProveBench, nginx_binaries
from prove_sites import SITES

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.nginx
BINARIES = nginx_binaries()


@pytest.mark.parametrize("binary", BINARIES.values(), ids=list(BINARIES))
def test_every_row_of_a_right_site_passes(binary: Path, tmp_path: Path) -> None:
    """All four sites, before and after a client is revoked: no row fails, and none but the named ones is skipped."""
    with ProveBench(tmp_path, binary) as bench:
        bench.install(bench.pki.files(leaver_revoked=False))
        bench.start()
        leavers = {site: remember_session(bench.facts(site), bench.pki.leaving) for site in SITES}
        bench.generation = 2
        bench.install(bench.pki.files(leaver_revoked=True))
        bench.reload()
        for site in SITES:
            assert bench.answers(site)
            proof = prove(bench.facts(site), replace(bench.pki.identities, leaver=leavers[site]))
            assert [(r.row.title, r.row.tls_version, r.expected, r.observed, r.cause) for r in proof.failed] == []
            assert {r.row.kind for r in proof.rows if r.skipped} == set()
