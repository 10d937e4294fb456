"""A certificate of the user's own that expires while nginx serves it holds up no revocation, and every other deploy."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from command import counterseal, here
from one_site import SITE, meets
from pki_fixtures import make_ca, make_server
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.nginx
LASTS = timedelta(seconds=20)
"""Time enough for a deploy and its proof on a busy machine."""
OWN = """\
certificate = "own.pem"
certificate_key = "own.key"
"""


@pytest.fixture
def expired(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """Return a home with ann and bob whose site serves a certificate that has ended since the deploy, and the port."""
    home, port = tmp_path / "home", free_port()
    assert here(home, "init", "--no-passphrase").code == 0
    for name in ("ann", "bob"):
        assert here(home, "client", name, "--no-p12", "--out", str(tmp_path / "out")).code == 0
    now = datetime.now(UTC)
    ca = make_ca("Other CA", created=now - timedelta(days=1), expires=now + timedelta(days=9))
    own = make_server(ca, "panel.test", created=now - timedelta(hours=1), expires=now + LASTS)
    (home / "own.pem").write_bytes(own.certificate.public_bytes(Encoding.PEM))
    (home / "own.key").touch(mode=0o600)
    (home / "own.key").write_bytes(own.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (home / "counterseal.toml").write_text(SITE.format(port=port) + OWN)
    deployed = counterseal(home, "nginx", "deploy")
    assert deployed.code == 0, deployed.stderr
    while datetime.now(UTC) <= own.certificate.not_valid_after_utc:
        time.sleep(0.1)
    yield home, port
    counterseal(home, "nginx", "stop")


def test_it_is_told_and_the_revoked_client_is_locked_out(expired: tuple[Path, int]) -> None:
    """By revoke, and by the refresh of a timer, which ends with 3; nginx deploy is refused."""
    home, port = expired
    assert [meets(home, port, name) for name in ("ann", "bob")] == [200, 200]
    assert counterseal(home, "revoke", "ann", "--dry-run").code == 0
    ran = counterseal(home, "revoke", "ann")
    assert ran.code == 0, ran.stderr
    assert ran.stdout.startswith("in force and proved: generation 2, ")
    assert "[tls-cert-expired]\nhint: that is so already" in ran.stderr
    assert here(home, "revoke", "bob", "--no-deploy").code == 0
    refreshed = counterseal(home, "refresh", "--json")
    assert refreshed.code == 3, refreshed.stderr
    assert [one["code"] for one in json.loads(refreshed.stdout)["passed_over"]] == ["tls-cert-expired"]
    assert [meets(home, port, name) for name in ("ann", "bob")] == [400, 400]
    rehearsed, refused = (counterseal(home, "nginx", "deploy", "--json", *dry) for dry in (["--dry-run"], []))
    assert (refused.code, json.loads(refused.stdout)["error"]["code"]) == (4, "nginx.lint")
    assert (rehearsed.code, json.loads(rehearsed.stdout)) == (refused.code, json.loads(refused.stdout))
