"""Every broken site passes ``nginx -t``, and the proof says what is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from broken_sites import BROKEN_SITES, BrokenSite
from counterseal.handshake.sessions import remember_session
from prove_bench import ProveBench, nginx_binaries, nginx_version, prove_kind

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.handshake.prove import Proof

pytestmark = pytest.mark.nginx
CASES = [
    pytest.param(broken, binary, id=f"{broken.name}-{name}")
    for name, binary in nginx_binaries().items()
    for broken in BROKEN_SITES
    if broken.since <= nginx_version(binary) < broken.before
]


@pytest.mark.parametrize(("broken", "binary"), CASES)
def test_the_proof_fails_and_names_the_cause(
    broken: BrokenSite, binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row that is meant fails, and its cause holds the words that name what was broken."""
    monkeypatch.setattr("counterseal.handshake.staple_watch.PATIENCE", 0.2)  # whoever never answers is asked twice
    with ProveBench(tmp_path, binary) as bench:
        proof = prove_broken(broken, bench)
    causes = [result.cause or "" for result in proof.failed]
    assert any(broken.words in cause for cause in causes), show(proof)
    assert all(result.fix for result in proof.failed if broken.words in (result.cause or ""))


@pytest.mark.parametrize("binary", nginx_binaries().values(), ids=list(nginx_binaries()))
def test_the_table_covers_this_nginx(binary: Path) -> None:
    """The bounds of the table leave no more than a few cases out on any nginx."""
    version = nginx_version(binary)
    left_out = [broken.name for broken in BROKEN_SITES if not broken.since <= version < broken.before]
    assert len(left_out) <= 4


def prove_broken(broken: BrokenSite, bench: ProveBench) -> Proof:
    """Serve the broken site, revoke the leaver where the entry wants it, and try the row that sees it."""
    bench.break_site(broken)
    bench.install(bench.files_of(broken, leaver_revoked=False))
    assert bench.test()[0] == 0, bench.test()[1]
    bench.start()
    identities = bench.pki.identities
    facts = replace(bench.facts(broken.site), tls_versions=broken.tls_versions)
    if broken.takes is not None:
        identities = replace(identities, leaver=remember_session(facts, bench.pki.leaving))
        bench.install(bench.files_of(broken, leaver_revoked=True), in_place=broken.takes == "in-place")
        if broken.takes != "no-reload":
            bench.reload()
    return prove_kind(broken.row, facts, identities)


def show(proof: Proof) -> str:
    """Return the failed rows, for the message of a failed test."""
    rows = (f"{r.row.kind} {r.row.tls_version}: {r.expected} / {r.observed} / {r.cause}" for r in proof.failed)
    return "\n".join(rows) or "no row failed"
