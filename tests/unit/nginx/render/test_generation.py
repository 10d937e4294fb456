"""Which files a generation has, what differs by version, and that no accepted text changes its structure."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterseal.errors import ConfigError, InputError
from counterseal.nginx.parse import parse
from counterseal.nginx.render import Layout, render
from counterseal.nginx.site import (
    Admit,
    Allow,
    ClientCertificates,
    IdentityHeaders,
    Listen,
    Location,
    Revocation,
    Sessions,
    Site,
    TLSProfile,
)
from counterseal.nginx.tree import Tree, walk
from unit.nginx.render.sites import BASE, LAYOUT, NEW, OLD, PARTNERS, STAFF, make_material, make_site, render_text

if TYPE_CHECKING:
    from counterseal.fileset import FileSet

GOLDEN = Path(__file__).parent / "golden"


def render_one(site: Site, **changes: Any) -> FileSet:  # noqa: ANN401 - layout or material
    """Return the files of one site."""
    layout = changes.pop("layout", LAYOUT)
    return render([(site, make_material(**changes))], version=OLD, generation=7, layout=layout)


@pytest.mark.parametrize(
    ("name", "site"),
    [
        ("required", make_site()),
        (
            "optional",
            make_site(
                client_certificates=ClientCertificates.OPTIONAL,
                locations=(Location("/admin/", ClientCertificates.REQUIRED, Allow(groups=("ops",))),),
                revocation=Revocation.MAP,
                redirect_from=(Listen("*", 80),),
                hsts=True,
            ),
        ),
    ],
)
def test_a_server_block_is_as_written_down(name: str, site: Site) -> None:
    """The golden file shows a reader what is rendered; a change of it is seen in review."""
    assert render_text("sites/panel.conf", site) == (GOLDEN / f"{name}.conf").read_text()


def test_what_an_application_is_told_is_as_written_down() -> None:
    """Every header that could speak of a client is set or removed, and no cache answers for somebody else."""
    site = make_site(identity_headers=IdentityHeaders.STANDARD)
    assert render_text("sites/panel.proxy.conf", site) == (GOLDEN / "proxy.conf").read_text()


def test_a_location_may_have_a_target_of_its_own() -> None:
    """Both of its blocks go there, for the path itself and for all below it."""
    locations = (Location("/a", upstream="127.0.0.1:9000"), Location("/b", root="/srv/b"), Location("/c"))
    text = render_text("sites/panel.conf", make_site(locations=locations)).replace('"', "")
    targets = {
        "/a": "proxy_pass http://127.0.0.1:9000;",
        "/b": "root /srv/b;",
        "/c": "proxy_pass http://127.0.0.1:8000;",
    }
    for path, target in targets.items():
        for opening in (f"location = {path} {{", f"location ^~ {path}/ {{"):
            assert target in text.partition(opening)[2].partition("}\n")[0], opening


def test_the_files_of_a_private_nginx() -> None:
    """Main file, http file, servers, lists and PEM files; only the key is secret."""
    files = render_one(make_site())
    assert [file.path for file in files] == [
        "nginx.conf",
        "http.conf",
        "maps/revoked.map",
        "maps/known.map",
        "sites/panel.conf",
        "sites/panel.proxy.conf",
        "default_servers.conf",
        "sites/panel.chain.pem",
        "sites/panel.key.pem",
        "sites/panel.client-cas.pem",
        "sites/panel.crl.pem",
    ]
    assert [file.path for file in files if file.is_secret] == ["sites/panel.key.pem"]


def test_beside_a_users_own_configuration_there_is_no_main_file() -> None:
    """And nothing in the http block that he may have there already, log format and maps apart."""
    files = render_one(make_site(), layout=replace(LAYOUT, owns_main=False))
    assert "nginx.conf" not in {file.path for file in files}
    names = {directive.name for directive in parse(files["http.conf"].content).directives}
    assert names == {"log_format", "map", "include"}


def test_a_site_without_client_certificates_holds_no_ca() -> None:
    """Nor a CRL; the server says outright that it asks for nothing."""
    files = render_one(make_site(client_certificates=ClientCertificates.NONE, client_cas=()))
    assert not any("client-cas" in file.path or "crl" in file.path for file in files)
    assert b"ssl_verify_client off;" in files["sites/panel.conf"].content


def test_lists_hold_issuer_number_and_serial() -> None:
    """Of pinned issuers only, each entry once."""
    revoked = {STAFF: ["0b", "0b", "0123"], PARTNERS: ["0c"]}
    files = render_one(make_site(admit=Admit.KNOWN), revoked=revoked, known={STAFF: ["0B"]})
    assert files["maps/revoked.map"].content == b"1:0B 1;\n1:0123 1;\n"
    assert files["maps/known.map"].content == b"1:0B 1;\n"
    assert max(map(len, files["maps/revoked.map"].content.splitlines())) <= 46


def test_a_list_nobody_asks_for_is_empty() -> None:
    """In CRL mode, and where every valid certificate is admitted."""
    one = {STAFF: ["0B"]}
    files = render_one(make_site(revocation=Revocation.CRL), revoked=one, known=one)
    assert (files["maps/revoked.map"].content, files["maps/known.map"].content) == (b"", b"")


def test_what_differs_by_version() -> None:
    """HTTP/2 as parameter or directive, and the hybrid curve."""
    old, new = (render_text("sites/panel.conf", make_site(), version=version) for version in (OLD, NEW))
    assert "listen 443 ssl http2;" in old
    assert "http2 on;" not in old
    assert "X25519MLKEM768" not in old
    assert "listen 443 ssl;" in new
    assert "http2 on;" in new
    assert "ssl_ecdh_curve X25519MLKEM768:X25519:" in new


def test_what_is_left_out_of_nginx_is_left_out_of_the_main_file() -> None:
    """A build without FastCGI knows no path for its temporary files."""
    without = replace(OLD, without=frozenset({"http_fastcgi", "http-cache"}))
    files = render([(make_site(), make_material())], version=without, generation=7, layout=LAYOUT)
    assert b"fastcgi" not in files["nginx.conf"].content
    assert b"uwsgi_temp_path" in files["nginx.conf"].content
    assert b"proxy_cache" not in files["sites/panel.proxy.conf"].content


def test_sessions_are_kept_only_by_a_site_alone_on_its_sockets() -> None:
    """A zone named after site and generation, on a new nginx, for nobody's neighbour."""
    asking = make_site(sessions=Sessions.CACHE)
    neighbour = make_site(name="shop", server_names=("shop.test",))
    zone = "ssl_session_cache shared:counterseal_panel_g7:1m;"
    assert zone in render_text("sites/panel.conf", asking, version=NEW)
    assert zone not in render_text("sites/panel.conf", asking, version=OLD)
    pairs = [(asking, make_material()), (neighbour, make_material())]
    files = render(pairs, version=NEW, generation=7, layout=LAYOUT)
    assert b"ssl_session_cache off;" in files["sites/panel.conf"].content
    assert not any(b"shared:" in file.content for file in files)


@pytest.mark.parametrize(
    ("other", "material", "part"),
    [
        ({"server_names": ("PANEL.test",)}, {}, "server name of two sites on *:443: panel.test"),
        ({"name": "panel", "server_names": ("x.test",)}, {}, "site name given twice"),
        ({"listen": (Listen("*", 8443),), "redirect_from": (Listen("*", 443),)}, {}, "speaks TLS for one site"),
        ({"tls": TLSProfile.MODERN}, {}, "differ in their TLS profile"),
        ({}, {"client_cas_pem": b""}, "no client CA certificates"),
        ({}, {"crl_pem": b""}, "no CRL for site"),
    ],
)
def test_sites_that_cannot_live_together_are_refused(other: Any, material: Any, part: str) -> None:  # noqa: ANN401 - changes of a site and of a material
    """With every reason, before anything is written."""
    second = make_site(**{"name": "shop", "server_names": ("shop.test",), **other})
    pairs = [(make_site(), make_material()), (second, make_material(**material))]
    with pytest.raises(ConfigError) as caught:
        render(pairs, version=OLD, generation=7, layout=LAYOUT)
    assert caught.value.code == "nginx.sites"
    assert any(part in finding.message for finding in caught.value.findings)


@pytest.mark.parametrize(
    "changes",
    [
        {"current": Path("relative")},
        {"current": Path("/a$b")},
        {"run": Path("/a;b")},
        {"run": Path("/a/../b")},
        {"logs": Path('/a"b')},
        {"prove_socket": Path("/" + "x" * 120)},
        {"worker_user": "www-data;"},
    ],
)
def test_a_layout_that_nginx_would_misread_is_refused(changes: dict[str, Any]) -> None:
    """Relative paths, syntax, and sockets longer than the kernel takes."""
    with pytest.raises(InputError) as caught:
        replace(LAYOUT, **changes)
    assert caught.value.code == "nginx.layout"


def test_a_path_with_spaces_is_one_word() -> None:
    """Directories are quoted wherever they are named."""
    layout = Layout(BASE / "a b" / "current", BASE / "a b" / "run", BASE / "prove.sock")
    for file in render_one(make_site(), layout=layout):
        if file.path.endswith(".conf"):
            words = [word for placed in walk(parse(file.content)) for word in placed.directive.arguments]
            assert not any(word.endswith("/a") for word in words)


def shape(tree: Tree) -> list[tuple[tuple[str, ...], str, int]]:
    """Return context, name and number of words of every directive; the keys of a map are no names."""
    return [
        (placed.context, "" if "map" in placed.context else placed.directive.name, len(placed.directive.words))
        for placed in walk(tree)
    ]


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(_TEXT, _TEXT, _TEXT, _TEXT)
def test_no_accepted_text_changes_the_structure(group: str, subject: str, path: str, root: str) -> None:
    """A site with any text that it takes has the directives of one with harmless text, no more and no less."""

    def build(group: str, subject: str, path: str, root: str) -> Site:
        location = Location(f"/{path}", root=f"/{root}")
        allow = Allow(groups=(group,), subjects=(f"CN={subject}",))
        headers = IdentityHeaders.STANDARD
        return make_site(locations=(location,), allow=allow, identity_headers=headers)

    try:
        site = build(group, subject, path, root)
    except ConfigError:
        return
    plain = render_one(build("ops", "alice", "admin", "srv"))
    for file in render_one(site):
        if file.path.endswith(".conf"):
            assert shape(parse(file.content)) == shape(parse(plain[file.path].content))
            written = re.sub(rb'"[^"\\]*(?:\\.[^"\\]*)*"', b"", file.content)
            assert b"\\" not in written


@given(st.sampled_from(["server_names", "upstream", "root", "name"]), _TEXT)
def test_no_accepted_name_changes_the_structure(field: str, text: str) -> None:
    """The same for names, upstreams and directories of the site itself."""
    value = (text,) if field == "server_names" else text
    changes: dict[str, Any] = {field: value, **({"upstream": None} if field == "root" else {})}
    try:
        site = make_site(**changes)
    except ConfigError:
        return
    plain = make_site(**({"upstream": None, "root": "/srv"} if field == "root" else {}))
    for written, file in zip(render_one(site), render_one(plain), strict=True):
        if file.path.endswith(".conf"):
            assert shape(parse(written.content)) == shape(parse(file.content))
