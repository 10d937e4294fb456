"""Our one file inside somebody else's http block: a copy of Debian's own, and one that is set up as badly as can be."""

from __future__ import annotations

import re
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from counterseal.files import write_fileset
from counterseal.nginx.claims import find_block_directives
from counterseal.nginx.parse import parse
from counterseal.nginx.render import render
from counterseal.nginx.render.sizes import EASY_ENTRIES
from counterseal.nginx.site import ClientCertificates, IdentityHeaders, Location, Revocation
from integration.nginx.conftest import make_site
from integration.nginx.lab import authority, client, crl, material, pem, with_many
from integration.nginx.upstreams import echo
from integration.nginx.visitor import Visitor
from nginx_process import layout_of, worker_user
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.nginx.material import Material
    from counterseal.nginx.site import Site
    from counterseal.nginx.version import NginxVersion
    from nginx_process import PrivateNginx

pytestmark = pytest.mark.nginx

PROBE = "/.well-known/counterseal"
ALICE = "CN=alice,OU=eng,O=Lab"

# /etc/nginx/nginx.conf of Debian 12 (nginx 1.22.1-9) without its comments.
DEBIAN = """user www-data;
worker_processes auto;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;

events {
	worker_connections 768;
}

http {
	sendfile on;
	tcp_nopush on;
	types_hash_max_size 2048;

	default_type application/octet-stream;

	ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; # Dropping SSLv3, ref: POODLE
	ssl_prefer_server_ciphers on;

	access_log /var/log/nginx/access.log;

	gzip on;

	include /etc/nginx/conf.d/*.conf;
}
"""

# What a user may have set that would undo ours if we did not set it ourselves.
HOSTILE = """
    ssl_session_cache shared:everything:1m;
    ssl_session_timeout 1d;
    ssl_session_ticket_key "{base}/ticket.key";
    ssl_early_data on;
    ssl_trusted_certificate "{base}/foreign.pem";
    ssl_crl "{base}/stale.crl";
    ssl_verify_depth 9;
    ssl_ocsp off;
    underscores_in_headers on;
    ignore_invalid_headers off;
    merge_slashes off;
    proxy_intercept_errors on;
    proxy_set_header X-SSL-Client-Verify SUCCESS;
    error_page 400 401 403 404 495 496 497 =200 /;
    map_hash_bucket_size 128;
    variables_hash_max_size 2048;
    log_format own "x";
"""


def serve_included(
    nginx: PrivateNginx, pairs: Sequence[tuple[Site, Material]], version: NginxVersion, *, added: str = ""
) -> str:
    """Serve the sites from the user's http block, and return what ``nginx -t`` warned of."""
    run = nginx.base / "run"
    user = worker_user()
    text = DEBIAN.replace("user www-data;", f"user {user};" if user else "")
    text = re.sub(r"/(?:run|var/log/nginx)/(\w+\.\w+)", rf"{run}/\1", text)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"    {kind}_temp_path {run}/{kind};\n" for kind in kinds)
    http = temporary + added.format(base=nginx.base) + f"    include {nginx.base}/current/http.con[f];\n"
    text = text.replace("\tinclude /etc/nginx/conf.d/*.conf;\n", http)
    taken = find_block_directives(parse(text), "http")
    layout = replace(layout_of(nginx.base), owns_main=False, taken=taken)
    write_fileset(nginx.base / "current", render(pairs, version=version, generation=7, layout=layout))
    assert not (nginx.base / "current" / "nginx.conf").exists()
    nginx.conf = nginx.base / "nginx.conf"
    nginx.conf.write_text(text)
    said = nginx.test()
    assert said.returncode == 0, said.stderr
    nginx.start(*(("127.0.0.1", listen.port) for site, _ in pairs for listen in site.listen))
    return "".join(line for line in said.stderr.splitlines(keepends=True) if "[warn]" in line)


def busy_site(port: int, number: int, **changes: Any) -> Site:  # noqa: ANN401 - any field of a site
    """Return a site that uses every kind of map."""
    fields: dict[str, Any] = {
        "name": f"site-{number}",
        "server_names": (f"s{number}.test",),
        "client_certificates": ClientCertificates.OPTIONAL,
        "locations": (Location("/admin", ClientCertificates.REQUIRED), Location("/keys", ClientCertificates.REQUIRED)),
        "identity_headers": IdentityHeaders.RFC9440,
        "upstream": "127.0.0.1:9",
    }
    return make_site(port, **{**fields, **changes})


def test_it_lives_in_debians_http_block(private_nginx: PrivateNginx, nginx_version: NginxVersion) -> None:
    """No directive clashes, nothing is warned of, and Debian's TLS 1.0 does not reach us."""
    port = free_port()
    assert serve_included(private_nginx, [(make_site(port), material())], nginx_version) == ""
    assert Visitor(port, client(ALICE)).get(PROBE).line[:4] == ("7", "panel", "admitted", "200")
    assert Visitor(port).get(PROBE).decision == "refused 496"
    assert Visitor(port, client(ALICE, ca="partners"), issuer="partners").get(PROBE).decision == "refused 495"
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        Visitor(port, client(ALICE), server_name=None).get(PROBE)


def test_many_sites_and_long_lists_fit_there_without_a_warning(
    private_nginx: PrivateNginx, nginx_version: NginxVersion
) -> None:
    """Eight sites with every kind of map, a thousand revoked certificates: the sizes needed are set."""
    port = free_port()
    bob = client("CN=bob,O=Lab")
    given = material(revoked=[bob])
    given = replace(given, revoked=with_many(given.revoked, 1000))
    pairs = [(make_site(port, revocation=Revocation.MAP), given)]
    pairs += [(busy_site(port, number), material()) for number in range(8)]
    assert serve_included(private_nginx, pairs, nginx_version) == ""
    assert Visitor(port, bob).get(PROBE).title == "Certificate revoked"
    assert Visitor(port, client(ALICE)).get(PROBE).decision == "admitted"


@pytest.mark.parametrize("sites", [1, 29, 30])
def test_what_needs_no_sizes_sets_none(private_nginx: PrivateNginx, nginx_version: NginxVersion, sites: int) -> None:
    """Up to the bounds of what is easy nothing is set in the user's http block, and nginx warns of nothing."""
    port = free_port()
    pairs = [(make_site(port, revocation=Revocation.MAP), replace(material(), revoked=with_many({}, EASY_ENTRIES)))]
    pairs += [
        (make_site(port, name=f"s{number}", server_names=(f"s{number}.test",)), material()) for number in range(sites)
    ]
    assert serve_included(private_nginx, pairs, nginx_version) == ""
    assert Visitor(port, client(ALICE)).get(PROBE).decision == "admitted"
    assert ("variables_hash" in (private_nginx.base / "current" / "http.conf").read_text()) is (sites > 29)


def test_where_the_user_has_set_the_sizes_ours_still_works(
    private_nginx: PrivateNginx, nginx_version: NginxVersion
) -> None:
    """A directive of his is never repeated; too small a table is slower, not wrong."""
    port = free_port()
    bob = client("CN=bob,O=Lab")
    given = material(revoked=[bob])
    given = replace(given, revoked=with_many(given.revoked, 1000))
    pairs = [(make_site(port, revocation=Revocation.MAP), given)]
    said = serve_included(
        private_nginx, pairs, nginx_version, added="    map_hash_max_size 512;\n    map_hash_bucket_size 64;\n"
    )
    assert "could not build optimal map_hash" in said
    assert Visitor(port, bob).get(PROBE).title == "Certificate revoked"


def test_nothing_a_user_may_have_set_weakens_it(private_nginx: PrivateNginx, nginx_version: NginxVersion) -> None:
    """Session tickets with a key file, a foreign anchor, a stale CRL, lax headers, error pages that answer 200."""
    (private_nginx.base / "ticket.key").write_bytes(b"k" * 80)
    (private_nginx.base / "foreign.pem").write_bytes(pem(authority("foreign")))
    (private_nginx.base / "stale.crl").write_bytes(crl("partners"))
    port = free_port()
    admin = Location("/admin", ClientCertificates.REQUIRED)
    with echo() as upstream:
        lax = make_site(
            port, client_certificates=ClientCertificates.OPTIONAL, upstream=upstream, locations=(admin,),
            revocation=Revocation.MAP, identity_headers=IdentityHeaders.STANDARD,
        )  # fmt: skip
        serve_included(private_nginx, [(lax, material())], nginx_version, added=HOSTILE)
        for path in ("//admin", "/x//..//admin", "/admin"):
            assert Visitor(port).get(path).decision == "refused 496"
        forged = {"X_SSL_Client_Verify": "SUCCESS", "X-SSL-Client-Verify": "SUCCESS"}
        body = Visitor(port).get("/", headers=forged).body
    assert '["x-ssl-client-verify", "NONE"]' in body
    assert "x_ssl" not in body
    assert Visitor(port, client(ALICE, ca="foreign"), issuer="foreign").get(PROBE).decision == "refused 495"
    visitor = Visitor(port, client(ALICE))
    request = f"GET {PROBE} HTTP/1.1\r\nHost: panel.test\r\nConnection: close\r\n\r\n"
    admitted, session, _ = visitor.exchange(request)
    assert admitted.decision == "admitted"
    assert visitor.exchange(request, session=session)[2] is False
