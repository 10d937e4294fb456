"""What neither ``nginx -t`` nor a row of the proof sees is not deployed either: the linter in the deploy refuses."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from command import here
from counterseal.handshake.generation import wait_for_generation
from counterseal.handshake.observation import Endpoint
from counterseal.nginx.render import render
from nginx_process import WITHIN
from ports import free_port
from prove_bench import nginx_binaries, nginx_version
from unseen_dangers import SITES, UNSEEN, Unseen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.fileset import FileSet

pytestmark = pytest.mark.nginx
BINARIES = nginx_binaries()
TRIED = [
    (danger, max(fitting, key=nginx_version))
    for danger in UNSEEN
    if (fitting := [one for one in BINARIES.values() if danger.since <= nginx_version(one) < danger.before])
]
"""On which nginx each danger is tried: they do not differ in what the linter reads."""


@pytest.fixture(params=BINARIES.values(), ids=list(BINARIES))
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, Path, int]]:
    """Deploy the sites rightly; yields the home, the nginx and the port. Stops that nginx in the end."""
    home, port, nginx = tmp_path / "home", free_port(), request.param
    assert here(home, "init", "--no-passphrase").code == 0
    assert here(home, "ca", "add", "partners", "--purpose", "client").code == 0
    (home / "counterseal.toml").write_text(SITES.format(nginx=nginx, port=port, stream=free_port()))
    deployed = here(home, "nginx", "deploy")
    assert deployed.code == 0, deployed.stderr
    yield home, nginx, port
    here(home, "nginx", "stop")


def test_a_danger_that_no_row_sees_is_not_deployed(
    served: tuple[Path, Path, int], monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    """Each deploy says which rule refuses; the link, every octet and what nginx answers are those from before."""
    home, nginx, port = served
    before, current = octets(home), str(home / "nginx" / "current")
    for danger in (one for one, binary in TRIED if binary == nginx):
        with subtests.test(str(danger)):

            def err(*sites: Any, danger: Unseen = danger, **settings: Any) -> FileSet:  # noqa: ANN401 - as it is asked
                return danger.make(render(*sites, **settings), current)

            monkeypatch.setattr("counterseal.authority.deployment.render", err)
            ran = here(home, "nginx", "deploy", "--json")
            assert ran.code == 4, ran.stderr
            findings = json.loads(ran.stdout)["error"]["findings"]
            assert danger.code in {finding["code"] for finding in findings}, ran.stderr
            assert octets(home) == before
    monkeypatch.undo()
    with subtests.test("a key of the user's own that everybody can read"):
        keep_readable(home)
        for rehearsing in ((), ("--dry-run",)):
            ran = here(home, "nginx", "deploy", *rehearsing)
            assert (ran.code, "others can read the secret" in ran.stderr) == (1, True), ran.stderr
        assert octets(home) == before
    answered = wait_for_generation(Endpoint("127.0.0.1", port), 1, server_name="panel.test", timeout=WITHIN)
    assert answered.answered


def test_every_danger_is_tried() -> None:
    """Also those of some versions alone."""
    assert [danger for danger, _ in TRIED] == list(UNSEEN)


def keep_readable(home: Path) -> None:
    """Have the first site show a certificate of the user's own, with a key that everybody can read."""
    own = home / "sites" / "panel"
    (own / "server.key.pem").chmod(0o644)
    config = home / "counterseal.toml"
    named = f'certificate = "{own}/server.fullchain.pem"\ncertificate_key = "{own}/server.key.pem"\n'
    config.write_text(config.read_text().replace("client_cas", f"{named}client_cas", 1))


def octets(home: Path) -> dict[str, str]:
    """Return where the link leads, and the digests of all files there."""
    current = home / "nginx" / "current"
    files = (path for path in sorted(current.resolve().rglob("*")) if path.is_file())
    return {"current": str(current.readlink()), **{str(path): sha256(path.read_bytes()).hexdigest() for path in files}}
