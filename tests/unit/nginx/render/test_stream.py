"""What is rendered for stream sites, and which of them cannot be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from counterseal.errors import ConfigError
from counterseal.nginx.any_site import Allow
from counterseal.nginx.listen import Listen
from counterseal.nginx.material import UpstreamMaterial
from counterseal.nginx.ocsp import OCSP
from counterseal.nginx.parse import parse
from counterseal.nginx.render import render
from counterseal.nginx.stream_site import StreamSite
from counterseal.nginx.upstream import BackendCertificate, UpstreamTLS
from nginx_maps import find_map, look_up
from unit.nginx.render.sites import LAYOUT, NEW, OLD, make_material, make_site, pem

if TYPE_CHECKING:
    from counterseal.nginx.version import NginxVersion

GOLDEN = Path(__file__).parent / "golden"
STREAM = frozenset({"stream", "stream_ssl"})
OLD_STREAM, NEW_STREAM = (replace(version, modules=version.modules | STREAM) for version in (OLD, NEW))
PROBE = "CN=probe good,OU=counterseal-probe"


def stream_site(**changes: Any) -> StreamSite:  # noqa: ANN401 - any field of a site
    """Return a stream site with some fields changed."""
    fields: dict[str, Any] = {
        "name": "db",
        "server_names": ("db.test",),
        "listen": (Listen("*", 5432),),
        "client_cas": ("staff",),
        "upstream": "127.0.0.1:15432",
    }
    return StreamSite(**{**fields, **changes})


def stream_text(site: StreamSite, *, version: NginxVersion = OLD_STREAM, **material: Any) -> str:  # noqa: ANN401 - any field of a material
    """Return ``stream.conf`` of one site."""
    files = render([(site, make_material(**material))], version=version, generation=7, layout=LAYOUT)
    return files["stream.conf"].content.decode()


def test_a_stream_is_as_written_down() -> None:
    """TLS backend, allow list: everything that a stream may have."""
    shown = UpstreamMaterial(pem("CERTIFICATE"), 1, pem("X509 CRL"), pem("CERTIFICATE"), pem("PRIVATE KEY"))
    site = stream_site(
        upstream="tls://10.0.0.5:5432",
        upstream_tls=UpstreamTLS("db.internal", BackendCertificate.ISSUED),
        allow=Allow(groups=("ops",)),
    )
    assert stream_text(site, upstream=shown) == (GOLDEN / "stream.conf").read_text()


@pytest.mark.parametrize(
    ("facts", "place"),
    [
        ("200:admitted|CN=ann", "counterseal_db"),
        (f"200:admitted|{PROBE}", "unix:/srv/ngx/run/7.sock"),
        (f"403:forbidden|{PROBE}", "unix:/srv/ngx/run/7-no.sock"),
        ("403:forbidden|CN=ann", "unix:/nonexistent/counterseal-refused"),
        (f"495:revoked|{PROBE}", "unix:/nonexistent/counterseal-refused"),
        (f"495:issuer|{PROBE}", "unix:/nonexistent/counterseal-refused"),
        ("496:missing|", "unix:/nonexistent/counterseal-refused"),
        ("|", "unix:/nonexistent/counterseal-refused"),
    ],
)
def test_only_who_is_admitted_reaches_the_backend(facts: str, place: str) -> None:
    """A probe reaches the prover in its place; whatever no line names leads nowhere."""
    block = find_map(stream_text(stream_site(allow=Allow(groups=("ops",)))), "$counterseal_db_target")
    assert look_up(block, facts) == place


def test_a_stream_uses_no_directive_that_an_old_nginx_does_not_know() -> None:
    """ssl_ocsp came to streams in 1.27.2, ssl_early_data never did."""
    names = {
        directive.name for server in parse(stream_text(stream_site())).directives for directive in server.directives
    }
    assert not names & {"ssl_ocsp", "ssl_early_data", "http2", "server_name", "error_page"}
    assert {"ssl_verify_client", "ssl_crl", "ssl_session_tickets", "ssl_session_cache"} <= names


def test_ocsp_comes_to_streams_where_it_cannot_be_bypassed() -> None:
    """Asked about clients, and stapled; an older nginx is refused, for that only."""
    asking = stream_site(ocsp=OCSP("http://10.0.0.7:8888/"), stapling=True)
    text = stream_text(asking, version=NEW_STREAM)
    assert 'ssl_ocsp_responder "http://10.0.0.7:8888/";' in text
    assert "ssl_ocsp_cache shared:counterseal_db_ocsp_g7:1m;" in text
    assert "ssl_stapling on;" in text
    assert "ssl_ocsp off;" in stream_text(stream_site(), version=NEW_STREAM)
    with pytest.raises(ConfigError, match="no ocsp or stapling at a stream site"):
        stream_text(asking)


def test_the_main_file_loads_a_module_that_is_built_apart() -> None:
    """From where that nginx keeps its modules, and only where there is a stream."""
    apart = replace(
        OLD_STREAM, dynamic=frozenset({"stream"}), prefix="/usr/share/nginx", modules_path="/usr/lib/modules"
    )
    main = render([(stream_site(), make_material())], version=apart, generation=7, layout=LAYOUT)["nginx.conf"]
    assert b'load_module "/usr/lib/modules/ngx_stream_module.so";' in main.content
    assert b'stream {\n    include "/srv/ngx/current/stream.conf";\n}' in main.content
    without = render([(make_site(), make_material())], version=apart, generation=7, layout=LAYOUT)
    assert b"stream {" not in without["nginx.conf"].content
    assert b"load_module" not in without["nginx.conf"].content
    assert "stream.conf" not in {file.path for file in without}


def test_beside_a_users_own_configuration_only_what_is_needed_is_set() -> None:
    """No size of a hash table that his stream block may have."""
    layout = replace(LAYOUT, owns_main=False)
    files = render([(stream_site(), make_material())], version=NEW_STREAM, generation=7, layout=layout)
    names = {directive.name for directive in parse(files["stream.conf"].content).directives}
    assert names == {"map", "log_format", "upstream", "server"}


@pytest.mark.parametrize(
    ("version", "other", "part"),
    [
        (OLD, None, "this nginx has no stream module with TLS, which site db asks for: 1.22.1"),
        (OLD_STREAM, make_site(listen=(Listen("*", 5432),)), "socket of stream site db is another site's too: *:5432"),
        (OLD_STREAM, make_site(redirect_from=(Listen("*", 5432),)), "is another site's too"),
        (OLD_STREAM, stream_site(name="db-2"), "is another site's too"),
        (OLD_STREAM, make_site(name="db"), "site name given twice: db"),
    ],
)
def test_what_cannot_live_together_is_refused(version: NginxVersion, other: Any, part: str) -> None:  # noqa: ANN401 - a site of either kind
    """With the reason, before anything is written."""
    pairs = [(site, make_material()) for site in (stream_site(), other) if site]
    with pytest.raises(ConfigError) as caught:
        render(pairs, version=version, generation=7, layout=LAYOUT)
    assert any(part in finding.message for finding in caught.value.findings)
