"""What nginx does to its upstream on the bad cases, and once they are mended: as whom it comes, whom it takes."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING, NamedTuple

import pytest

from counterseal.pki.openssl.release import takes_deltas
from nginx_lint_lab import CASES, Case, as_suggested, mended, write_lab
from nginx_process import PrivateNginx, nginx_binary, nginx_version, private_nginx, worker_user
from ports import free_port

if TYPE_CHECKING:
    from counterseal.nginx.version import NginxVersion

__all__ = ["nginx_binary", "nginx_version", "private_nginx"]

pytestmark = pytest.mark.nginx


class Way(NamedTuple):
    """Requests one after the other, and what the last one is answered: before, and when the case is mended."""

    code: str
    paths: tuple[str, ...]
    before: str
    after: str


WAYS = [
    Way("up-session-of-another-certificate", ("/alice/", "/dora/"), "200 CN=alice", "200 CN=dora"),
    Way("up-session-of-another-certificate", ("/alice/", "/"), "200 CN=alice", "200 "),
    Way("up-connection-of-another-certificate", ("/alice/", "/"), "200 CN=alice", "200 "),
    Way("up-crl-delta", ("/",), "200 ", "502"),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.code}{way.paths[-1]}")
def test_what_the_upstream_sees(way: Way, private_nginx: PrivateNginx, nginx_version: NginxVersion) -> None:
    """The upstream says who came; it is a server of the same nginx, whose certificate ``server.crl`` revokes."""
    case = Case(CASES / way.code / "bad.conf")
    conf = private_nginx.base / "current" / "nginx.conf"
    conf.parent.mkdir(exist_ok=True)
    write_lab(conf.parent)
    version = ".".join(map(str, nginx_version.number))
    suggested = as_suggested(case, conf, version).get(case.code)
    before = way.before if way.code != "up-crl-delta" or takes_deltas(nginx_version.openssl) else way.after
    assert answer(private_nginx, case.text, way.paths) == before
    assert answer(private_nginx, suggested or mended(case, conf, version), way.paths) == way.after


def answer(nginx: PrivateNginx, text: str, paths: tuple[str, ...]) -> str:
    """Return status and text of the answer to the last request, each over a connection of its own."""
    front, behind = free_port(), free_port()
    write_lab(nginx.base / "current")
    user = worker_user()
    with (nginx.base / "current" / "main.inc").open("a") as main:
        main.write(f"worker_processes 1;\n{f'user {user};' if user else ''}\n")
    server = (
        f"server {{ listen 127.0.0.1:{behind} ssl; ssl_certificate both-names.pem; "
        "ssl_certificate_key server.key; ssl_client_certificate clients.pem; "
        'ssl_session_cache builtin; ssl_verify_client optional_no_ca; return 200 "$ssl_client_s_dn"; }'
    )
    moved = text.replace("127.0.0.1:8080", f"127.0.0.1:{front}").replace("127.0.0.1:9443", f"127.0.0.1:{behind}")
    (nginx.base / "current" / "nginx.conf").write_text(moved.rstrip().removesuffix("}") + f"    {server}\n}}\n")
    nginx.start(("127.0.0.1", front), ("127.0.0.1", behind))
    try:
        return [ask(front, path) for path in paths][-1]
    finally:
        nginx.stop()


def ask(port: int, path: str) -> str:
    """Return the status, and what the upstream said where it was reached."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Host": "panel.test"})
    response = connection.getresponse()
    said = response.read().decode()
    connection.close()
    return f"{response.status} {said}" if response.status == http.HTTPStatus.OK else str(response.status)
