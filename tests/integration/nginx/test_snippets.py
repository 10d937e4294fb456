"""Somebody's own server block with our parts included."""

from __future__ import annotations

import json
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from counterseal.files import write_fileset
from counterseal.nginx.listen import Listen
from counterseal.nginx.render import render_snippets
from counterseal.nginx.render.main import stream_module
from counterseal.nginx.site import Allow, ClientCertificates, IdentityHeaders, Location
from counterseal.nginx.stream_site import StreamSite
from integration.nginx.conftest import make_site
from integration.nginx.lab import authority, client, key_pem, material, pem, server
from integration.nginx.upstreams import echo
from integration.nginx.visitor import Visitor, reaches
from nginx_process import layout_of, worker_user
from ports import free_port

if TYPE_CHECKING:
    from counterseal.nginx.version import NginxVersion
    from nginx_process import PrivateNginx

pytestmark = pytest.mark.nginx

OWN = """{user}
pid {base}/run/nginx.pid;
error_log {base}/run/error.log;
events {{ }}
http {{
    client_body_temp_path {base}/run/body;
    proxy_temp_path {base}/run/proxy;
    fastcgi_temp_path {base}/run/fastcgi;
    uwsgi_temp_path {base}/run/uwsgi;
    scgi_temp_path {base}/run/scgi;
    access_log off;
    include {base}/current/http.conf;
    include {base}/current/snippets/default_server.conf;
    server {{
        listen 127.0.0.1:{port} ssl{http2};
        server_name panel.test;
        ssl_certificate {base}/own.pem;
        ssl_certificate_key {base}/own.pem;
        include {base}/current/snippets/panel.tls.conf;
        include {base}/current/snippets/panel.client.conf;
        location / {{
            proxy_set_header X-Own yes;
            include {base}/current/snippets/panel.identity_headers.conf;
            proxy_pass http://{upstream};
        }}
    }}
}}
"""


def test_an_own_server_block_is_protected_by_the_snippets(
    private_nginx: PrivateNginx, nginx_version: NginxVersion
) -> None:
    """Decisions, location demands, pages, identity headers and the rejecting default server, all by includes."""
    port, base = free_port(), private_nginx.base
    admin = Location("/admin", ClientCertificates.REQUIRED, Allow(groups=("ops",)))
    with echo() as upstream:
        site = make_site(
            port, client_certificates=ClientCertificates.OPTIONAL, upstream=upstream, locations=(admin,),
            identity_headers=IdentityHeaders.STANDARD,
        )  # fmt: skip
        layout = replace(layout_of(base), owns_main=False)
        files = render_snippets([(site, material())], version=nginx_version, generation=7, layout=layout)
        write_fileset(base / "current", files)
        (base / "own.pem").write_bytes(pem(server("panel.test"), authority("server")) + key_pem(server("panel.test")))
        private_nginx.conf = base / "own.conf"
        user, http2 = worker_user(), " http2" if nginx_version.number < (1, 25, 1) else ""
        own = OWN.format(user=f"user {user};" if user else "", base=base, port=port, http2=http2, upstream=upstream)
        private_nginx.conf.write_text(own)
        said = private_nginx.test()
        assert (said.returncode, "[warn]" in said.stderr) == (0, False), said.stderr
        private_nginx.start(("127.0.0.1", port))

        forged = {"X-SSL-Client-Verify": "SUCCESS", "X-SSL-Client-S-DN": "CN=root"}
        received = dict(json.loads(Visitor(port).get("/", headers=forged).body)["headers"])
        olga, alice = client("CN=olga,OU=ops,O=Lab"), client("CN=alice,OU=eng,O=Lab")
        assert (received["x-own"], received["x-ssl-client-verify"]) == ("yes", "NONE")
        assert "x-ssl-client-s-dn" not in received
        assert Visitor(port).get("//admin/").decision == "refused 496"
        assert Visitor(port, alice).get("/admin/").decision == "refused 403"
        assert Visitor(port, olga).get("/admin/").status == 200
        assert Visitor(port, client("CN=x", ca="partners"), issuer="partners").get().decision == "refused 495"
        assert Visitor(port).get("/.well-known/counterseal").line[:4] == ("7", "panel", "admitted", "200")
        with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
            Visitor(port, olga, server_name=None).get()


STREAM = """{module}{user}
pid {base}/run/nginx.pid;
error_log {base}/run/error.log;
events {{ }}
stream {{
    include {base}/current/stream.conf;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {base}/own.pem;
        ssl_certificate_key {base}/own.pem;
        include {base}/current/snippets/db.client.conf;
    }}
}}
"""


def test_an_own_stream_server_is_protected_by_the_snippets(
    private_nginx: PrivateNginx, nginx_version: NginxVersion
) -> None:
    """Who is on the list reaches the service; another group, another CA and nobody do not."""
    port, base = free_port(), private_nginx.base
    with echo() as behind:
        site = StreamSite(
            "db", ("panel.test",), (Listen("127.0.0.1", port),), client_cas=("staff",), upstream=behind,
            allow=Allow(groups=("ops",)),
        )  # fmt: skip
        layout = replace(layout_of(base), owns_main=False)
        files = render_snippets([(site, material())], version=nginx_version, generation=7, layout=layout)
        assert not any(file.is_secret for file in files)
        write_fileset(base / "current", files)
        (base / "own.pem").write_bytes(pem(server("panel.test"), authority("server")) + key_pem(server("panel.test")))
        private_nginx.conf = base / "own.conf"
        apart = "stream" in nginx_version.dynamic
        user, module = worker_user(), f"load_module {stream_module(nginx_version)};\n" if apart else ""
        own = STREAM.format(module=module, user=f"user {user};" if user else "", base=base, port=port)
        private_nginx.conf.write_text(own)
        said = private_nginx.test()
        assert (said.returncode, "[warn]" in said.stderr) == (0, False), said.stderr
        private_nginx.start(("127.0.0.1", port))
        olga, alice = client("CN=olga,OU=ops,O=Lab"), client("CN=alice,OU=eng,O=Lab")
        assert reaches(Visitor(port, olga))
        assert not reaches(Visitor(port, alice))
        assert not reaches(Visitor(port))
        assert not reaches(Visitor(port, client("CN=x,OU=ops", ca="partners"), issuer="partners"))


def test_no_private_key_is_among_the_snippets(nginx_version: NginxVersion, private_nginx: PrivateNginx) -> None:
    """The server certificate stays the user's own."""
    site = make_site(free_port())
    layout = replace(layout_of(private_nginx.base), owns_main=False)
    files = render_snippets([(site, material())], version=nginx_version, generation=7, layout=layout)
    assert not any(file.is_secret or b"PRIVATE KEY" in file.content for file in files)
