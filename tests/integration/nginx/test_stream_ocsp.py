"""OCSP about the clients of a stream, with a real responder; an nginx in which it could be bypassed is refused."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from counterseal.errors import ConfigError
from counterseal.nginx.listen import Listen
from counterseal.nginx.ocsp import OCSP
from counterseal.nginx.render import render
from counterseal.nginx.site import Revocation
from counterseal.nginx.stream_site import StreamSite
from counterseal.nginx.version import supports
from integration.nginx.lab import client, material
from integration.nginx.responders import forwarder, responder
from integration.nginx.upstreams import echo
from integration.nginx.visitor import Visitor, reaches
from nginx_process import layout_of, serve
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.nginx.version import NginxVersion
    from nginx_process import PrivateNginx

pytestmark = pytest.mark.nginx

ALICE, BOB, EVE = (client(f"CN={name},O=Lab") for name in ("alice", "bob", "eve"))


@contextmanager
def serving(nginx: PrivateNginx, version: NginxVersion, responder_port: int) -> Iterator[int]:
    """Serve a stream that asks this responder, with an HTTP service behind it; yields its port."""
    port = free_port()
    with echo() as behind:
        site = StreamSite(
            "db", ("panel.test",), (Listen("127.0.0.1", port),), client_cas=("staff",), upstream=behind,
            revocation=Revocation.MAP, ocsp=OCSP(f"http://127.0.0.1:{responder_port}/"),
        )  # fmt: skip
        files = render([(site, material())], version=version, generation=7, layout=layout_of(nginx.base))
        serve(nginx, files, ("127.0.0.1", port))
        yield port


def test_the_responder_decides(private_nginx: PrivateNginx, nginx_version: NginxVersion, tmp_path: Path) -> None:
    """Good reaches the service; revoked and unknown do not, nor anybody while the responder hangs, for ten seconds."""
    if not supports(nginx_version, "stream_ocsp"):
        with pytest.raises(ConfigError, match="no ocsp or stapling"), serving(private_nginx, nginx_version, 1):
            pass
        return
    with responder(tmp_path, "staff", [ALICE], [BOB]) as asked, serving(private_nginx, nginx_version, asked) as port:
        assert [reaches(Visitor(port, one)) for one in (ALICE, BOB, EVE)] == [True, False, False]
    assert "certificate status unknown" in private_nginx.log()
    private_nginx.stop()
    with forwarder(None) as asked, serving(private_nginx, nginx_version, asked) as port:
        began = time.monotonic()
        assert not reaches(Visitor(port, ALICE))
        assert 8 < time.monotonic() - began < 50  # nginx itself would give it a minute
