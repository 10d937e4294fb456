"""What the user's own configuration takes is found with file and line."""

from __future__ import annotations

import pytest

from counterseal.nginx.claims import ends_old_workers, find_block_directives, find_claims, find_collisions
from counterseal.nginx.parse import parse
from counterseal.nginx.site import Listen, Site
from counterseal.nginx.stream_site import StreamSite

OWN = """http {
  gzip on;
  server { listen 80 default_server; listen [::]:80; server_name _; }
  server { listen 443 ssl; server_name Panel.test other.test; }
  server { server_name bare.test; }
  server { listen unix:/run/x.sock; }
  server { listen 127.0.0.1:9443 ssl default_server; }
}
stream { server { listen 8000-8010; } }
"""
TREE = parse(OWN, file="/etc/nginx/nginx.conf")


def make_site(*sockets: str, redirect_from: tuple[str, ...] = ()) -> Site:
    """Return a site on those sockets."""
    return Site(
        name="panel",
        server_names=("panel.test",),
        listen=tuple(map(Listen.parse, sockets)),
        client_cas=("staff",),
        upstream="127.0.0.1:8000",
        redirect_from=tuple(map(Listen.parse, redirect_from)),
    )


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("worker_shutdown_timeout 30s; http { }", True),
        ("worker_shutdown_timeout 1h;", True),
        ("worker_shutdown_timeout 0;", False),
        ("worker_shutdown_timeout 0s;", False),
        ("events { } http { }", False),
    ],
)
def test_old_workers_end_where_a_time_is_set(text: str, *, ends: bool) -> None:
    """Nginx sets no timer for 0, which is its default."""
    assert ends_old_workers(parse(text, file="nginx.conf")) is ends


def test_every_socket_of_every_server_is_claimed() -> None:
    """Several listens, the implied port 80, port ranges of stream; Unix sockets do not collide."""
    claims = find_claims(TREE)
    found = [(claim.kind, claim.address, claim.first_port, claim.last_port, claim.line) for claim in claims]
    assert found == [
        ("http", "*", 80, 80, 3),
        ("http", "[::]", 80, 80, 3),
        ("http", "*", 443, 443, 4),
        ("http", "*", 80, 80, 5),
        ("http", "127.0.0.1", 9443, 9443, 7),
        ("stream", "*", 8000, 8010, 9),
    ]


def test_collisions_name_what_is_taken_and_where() -> None:
    """The same name, a foreign default server, a stream port."""
    site = make_site("443", "127.0.0.1:9443", "8005")
    findings = find_collisions(find_claims(TREE), [site])
    assert [(finding.code, finding.where) for finding in findings] == [
        ("nginx.name_taken", "/etc/nginx/nginx.conf:4"),
        ("nginx.default_taken", "/etc/nginx/nginx.conf:7"),
        ("nginx.port_taken", "/etc/nginx/nginx.conf:9"),
    ]


def test_a_redirect_beside_a_foreign_default_server_is_no_collision() -> None:
    """A plain HTTP listener of ours needs no default server."""
    assert find_collisions(find_claims(TREE), [make_site("8443", redirect_from=("80",))]) == ()


def test_directives_of_the_http_block_are_known() -> None:
    """So that none is given twice."""
    assert find_block_directives(TREE, "http") == {"gzip", "server"}


def test_a_stream_site_needs_a_socket_of_its_own() -> None:
    """Whatever kind of server has it, and whatever its name; a stream block's own directives are known."""
    tree = parse("http { server { listen 443; } } stream { map_hash_max_size 1; server { listen 5432; } }", file="a")
    site = StreamSite("db", ("db.test",), (Listen("*", 443), Listen("*", 5432)), client_cas=("staff",), upstream="a:1")
    codes = [finding.code for finding in find_collisions(find_claims(tree), [site])]
    assert codes == ["nginx.port_taken", "nginx.port_taken"]
    assert find_block_directives(tree, "stream") == {"map_hash_max_size", "server"}


@pytest.mark.parametrize(
    ("listen", "names", "ours", "code"),
    [
        ("127.0.0.1:443", "other.test", "443", "nginx.port_taken"),
        ("localhost:443", "other.test", "443", "nginx.port_taken"),
        ("localhost:443", "other.test", "[::]:443", "nginx.port_taken"),
        ("[::1]:443", "other.test", "[::]:443", "nginx.port_taken"),
        ("192.0.2.1:443", "panel.test", "443", "nginx.name_taken"),
        ("127.0.0.1:443", "panel.test", "443", "nginx.name_taken"),
        ("192.0.2.1:443", "other.test", "443", None),
        ("[::1]:443", "panel.test", "443", None),
        ("127.0.0.1:444", "panel.test", "443", None),
        ("443", "panel.test", "127.0.0.1:443", None),
    ],
)
def test_one_address_of_a_wildcard(listen: str, names: str, ours: str, code: str | None) -> None:
    """Nginx gives what is asked there to the server that names it: our name there is lost, and so is the proof."""
    tree = parse(f"http {{ server {{ listen {listen} ssl; server_name {names}; }} }}", file="own.conf")
    found = find_collisions(find_claims(tree), [make_site(ours)])
    assert [(one.code, one.where) for one in found] == ([] if code is None else [(code, "own.conf:1")])
