"""Whole generations: several sites on one socket, profiles, sessions, redirects, long lists, and nothing to warn of."""

from __future__ import annotations

import ssl
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from counterseal.errors import ConfigError
from counterseal.files import write_fileset
from counterseal.nginx.render import render
from counterseal.nginx.site import Admit, ClientCertificates, Listen, Revocation, Sessions, Site, TLSProfile
from counterseal.nginx.version import supports
from integration.nginx.conftest import make_site
from integration.nginx.lab import client, material, with_many
from integration.nginx.visitor import Visitor, send_plainly
from nginx_process import layout_of, serve
from ports import free_port

if TYPE_CHECKING:
    from counterseal.nginx.version import NginxVersion
    from integration.nginx.conftest import Start
    from nginx_process import PrivateNginx

pytestmark = pytest.mark.nginx

PROBE = "/.well-known/counterseal"
ALICE = "CN=alice,OU=eng,O=Lab"
NONE = ClientCertificates.NONE


def other_site(name: str, port: int, **changes: Any) -> Site:  # noqa: ANN401 - any field of a site
    """Return a site of another name on the same port."""
    return make_site(port, name=name, server_names=(f"{name}.test",), **changes)


def test_sites_share_a_socket_and_nothing_else(private_nginx: PrivateNginx, nginx_version: NginxVersion) -> None:
    """Each is decided by its own CA; the server name of one and the host of another is 421."""
    port = free_port()
    pairs = [
        (make_site(port), material()),
        (other_site("shop", port, client_cas=("partners",)), material("shop.test", cas=("partners",))),
        (
            other_site("blog", port, client_certificates=NONE, client_cas=(), upstream="127.0.0.1:10"),
            material("blog.test"),
        ),
    ]
    files = render(pairs, version=nginx_version, generation=7, layout=layout_of(private_nginx.base))
    serve(private_nginx, files, ("127.0.0.1", port))
    staff = Visitor(port, client(ALICE))
    partner = Visitor(port, client(ALICE, ca="partners"), issuer="partners")
    anybody = Visitor(port, server_name="blog.test")
    assert staff.get(PROBE).line[1:4] == ("panel", "admitted", "200")
    assert replace(staff, server_name="shop.test").get(PROBE, host="shop.test").decision == "refused 495"
    assert replace(partner, server_name="shop.test").get(PROBE, host="shop.test").decision == "admitted"
    assert partner.get(PROBE).decision == "refused 495"
    assert anybody.get(PROBE, host="blog.test").line[1:4] == ("blog", "admitted", "200")
    for sni, host in (("blog.test", "panel.test"), ("shop.test", "panel.test"), ("panel.test", "shop.test")):
        assert replace(partner, server_name=sni).get(PROBE, host=host).decision == "refused 421"
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        replace(staff, server_name=None).get(PROBE)


def test_a_session_of_one_site_is_no_entry_to_another(private_nginx: PrivateNginx, nginx_version: NginxVersion) -> None:
    """Two sites with one certificate, one of them with a revocation that the other does not know."""
    port = free_port()
    bob = client("CN=bob,O=Lab")
    twin = make_site(port, name="twin", server_names=("twin.test",), revocation=Revocation.CRL)
    pairs = [(make_site(port, revocation=Revocation.CRL), material()), (twin, material(revoked=[bob]))]
    files = render(pairs, version=nginx_version, generation=7, layout=layout_of(private_nginx.base))
    serve(private_nginx, files, ("127.0.0.1", port))
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        visitor = Visitor(port, bob, version=version)
        request = "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n"
        admitted, session, _ = visitor.exchange(request.format(PROBE, "panel.test"))
        assert admitted.decision == "admitted"
        object.__setattr__(visitor, "server_name", "twin.test")  # in place: a session belongs to its context
        refused, _, reused = visitor.exchange(request.format(PROBE, "twin.test"), session=session)
        assert (refused.decision, reused) == ("refused 495", False)


def test_no_site_is_a_configuration_too(private_nginx: PrivateNginx, nginx_version: NginxVersion) -> None:
    """An nginx without sites starts, so that the last site can be taken away."""
    files = render([], version=nginx_version, generation=7, layout=layout_of(private_nginx.base))
    serve(private_nginx, files)
    pid_file = private_nginx.base / "run" / "nginx.pid"
    private_nginx.wait_for(lambda: pid_file.exists() and pid_file.read_text().endswith("\n"), "its pid, as of a start")
    assert private_nginx.master is not None
    assert int(pid_file.read_text()) == private_nginx.master.pid


def test_every_kind_of_socket_and_name_is_taken(private_nginx: PrivateNginx, nginx_version: NginxVersion) -> None:
    """The wildcard and one address of it, a wildcard name beside its base."""
    port, other = free_port(), free_port()
    sockets = (Listen("*", port), Listen("127.0.0.1", other))
    first = make_site(port, listen=sockets, server_names=("panel.test", "*.panel.test"))
    second = make_site(other, name="shop", server_names=("shop.test",))
    pairs = [(first, material()), (second, material("shop.test"))]
    files = render(pairs, version=nginx_version, generation=7, layout=layout_of(private_nginx.base))
    serve(private_nginx, files, ("127.0.0.1", port), ("127.0.0.1", other))
    for name, at in (("panel.test", port), ("x.panel.test", port), ("x.panel.test", other)):
        assert Visitor(at, client(ALICE), server_name=name).get(PROBE, host=name).decision == "admitted"
    assert Visitor(other, client(ALICE), server_name="shop.test").get(PROBE, host="shop.test").line[1] == "shop"
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        Visitor(port, client(ALICE), server_name="shop.test").get(PROBE, host="shop.test")


def test_the_modern_profile_speaks_tls_1_3_only(start: Start) -> None:
    """The default server of the socket has the profile, too."""
    port = start(tls=TLSProfile.MODERN)
    assert Visitor(port, client(ALICE)).get(PROBE).line[7] == "TLSv1.3"
    with pytest.raises(ssl.SSLError):
        Visitor(port, client(ALICE), version=ssl.TLSVersion.TLSv1_2).get(PROBE)


def test_two_profiles_on_one_socket_need_a_new_nginx(private_nginx: PrivateNginx, nginx_version: NginxVersion) -> None:
    """Where the default server decides for all they are refused; elsewhere each has its own."""
    port = free_port()
    modern = other_site("shop", port, tls=TLSProfile.MODERN)
    pairs = [(make_site(port), material()), (modern, material("shop.test"))]
    layout = layout_of(private_nginx.base)
    if not supports(nginx_version, "protocols_per_server"):
        with pytest.raises(ConfigError, match="differ in their TLS profile: panel, shop"):
            render(pairs, version=nginx_version, generation=7, layout=layout)
        return
    serve(private_nginx, render(pairs, version=nginx_version, generation=7, layout=layout), ("127.0.0.1", port))
    old = ssl.TLSVersion.TLSv1_2
    assert Visitor(port, client(ALICE), version=old).get(PROBE).decision == "admitted"
    with pytest.raises(ssl.SSLError):
        Visitor(port, client(ALICE), server_name="shop.test", version=old).get(PROBE, host="shop.test")


def test_a_session_cache_is_used_only_where_it_is_safe(start: Start, nginx_version: NginxVersion) -> None:
    """Asked for, it works on a new nginx; an older one keeps sessions off."""
    visitor = Visitor(start(sessions=Sessions.CACHE), client(ALICE))
    request = f"GET {PROBE} HTTP/1.1\r\nHost: panel.test\r\nConnection: close\r\n\r\n"
    _, session, _ = visitor.exchange(request)
    answer, _, reused = visitor.exchange(request, session=session)
    assert reused is supports(nginx_version, "session_zone")
    assert answer.line[6] == ("r" if reused else ".")


def test_a_session_ends_with_its_generation(private_nginx: PrivateNginx, nginx_version: NginxVersion) -> None:
    """After a reload with a new generation number the session of the old one is not taken."""
    port = free_port()
    pair = (make_site(port, sessions=Sessions.CACHE), material())
    layout = layout_of(private_nginx.base)
    serve(private_nginx, render([pair], version=nginx_version, generation=7, layout=layout), ("127.0.0.1", port))
    visitor = Visitor(port, client(ALICE))
    request = f"GET {PROBE} HTTP/1.1\r\nHost: panel.test\r\nConnection: close\r\n\r\n"
    _, session, _ = visitor.exchange(request)
    files = render([pair], version=nginx_version, generation=8, layout=layout)
    write_fileset(private_nginx.base / "current", files)
    private_nginx.reload()
    # One answer of a new worker is no sign yet that the old ones have stopped to take connections.
    private_nginx.wait_for(lambda: all(visitor.get(PROBE).line[0] == "8" for _ in range(10)), "generation 8")
    assert [visitor.exchange(request, session=session)[2] for _ in range(3)] == [False] * 3


def test_plain_http_is_redirected_to_the_name_of_the_site(
    private_nginx: PrivateNginx, nginx_version: NginxVersion
) -> None:
    """Each name to itself, a wildcard to the host asked for, anything else nowhere."""
    port, plain = free_port(), free_port()
    site = make_site(
        port, server_names=("panel.test", "*.panel.test"), redirect_from=(Listen("127.0.0.1", plain),), hsts=True
    )
    files = render([(site, material())], version=nginx_version, generation=7, layout=layout_of(private_nginx.base))
    serve(private_nginx, files, ("127.0.0.1", port), ("127.0.0.1", plain))
    for host, status, location in (
        ("panel.test", 301, f"https://panel.test:{port}/a?b=c"),
        ("x.panel.test", 301, f"https://x.panel.test:{port}/a?b=c"),
        ("evil.test", 421, None),
        ("panel.test.evil.test", 421, None),
    ):
        answer = send_plainly(plain, f"GET /a?b=c HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
        assert (answer.status, answer.headers.get("location")) == (status, location)
    for path in (PROBE, "/missing"):
        answer = Visitor(port, client(ALICE)).get(path)
        assert answer.headers["strict-transport-security"] == "max-age=63072000"


def test_long_lists_pass_without_a_warning(private_nginx: PrivateNginx, nginx_version: NginxVersion) -> None:
    """Twenty thousand revoked and known certificates, twenty sites, and names of 190 characters."""
    port = free_port()
    bob, alice = client("CN=bob,O=Lab"), client(ALICE)
    given = material(revoked=[bob], known=[alice, bob])
    given = replace(given, revoked=with_many(given.revoked, 20_000), known=with_many(given.known, 20_000))
    pairs = [(make_site(port, admit=Admit.KNOWN, revocation=Revocation.AUTO), given)]
    for number in range(20):
        name = ".".join(["x" * 60] * 3) + f".s{number}.test"
        pairs.append((make_site(port, name=f"site-{number}", server_names=(name,)), material()))
    files = render(pairs, version=nginx_version, generation=7, layout=layout_of(private_nginx.base))
    serve(private_nginx, files, ("127.0.0.1", port))
    assert Visitor(port, alice).get(PROBE).decision == "admitted"
    assert Visitor(port, bob).get(PROBE).title == "Certificate revoked"
    assert Visitor(port, client("CN=carol,O=Lab")).get(PROBE).title == "Certificate unknown"
