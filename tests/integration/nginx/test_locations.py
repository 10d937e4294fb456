"""A location that asks for more than its site: every way around it that we know of, tried on every nginx at hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from counterseal.fileset import FileSet, PlannedFile
from counterseal.nginx.render import render
from counterseal.nginx.site import Allow, ClientCertificates, Location, Revocation
from integration.nginx.conftest import make_site
from integration.nginx.lab import client, material
from integration.nginx.upstreams import echo
from integration.nginx.visitor import Visitor
from nginx_process import layout_of, serve
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.nginx.version import NginxVersion
    from integration.nginx.conftest import Start
    from nginx_process import PrivateNginx

pytestmark = pytest.mark.nginx

REQUIRED = ClientCertificates.REQUIRED
ADMIN = Location("/admin/", REQUIRED, Allow(groups=("ops",)))
OPS, ENG = "CN=olga,OU=ops,O=Lab", "CN=alice,OU=eng,O=Lab"

# Spellings under which some upstream may take a path for one below /admin.
WAYS_IN = (
    "/admin", "/admin/", "/admin/users", "/admin?x", "/admin/?x=/open", "/admin#x",
    "//admin", "//admin/", "/x//admin", "///admin//users",
    "/./admin/", "/x/../admin", "/x/../admin/users", "/x/./../admin/", "/x/y/../../admin/",
    "/admin/.", "/admin/..", "/admin/../open", "/admin/x/../../open", "/admin/%2e%2e/open", "/admin/..%2fopen",
    "/admin/..%2Fopen", "/admin/.%2e/open", "/%2e/admin/", "/x/%2e%2e/admin/",
    "/admin%2f", "/admin%2Fusers", "/%61dmin/", "/%61%64%6d%69%6e", "/%41DMIN/", "/%2fadmin/", "/x%2f..%2fadmin/",
    "/ADMIN", "/ADMIN/", "/Admin/users", "/aDmIn",
    "/admin;x=1/", "/admin;/users", "/;/admin/", "/;x=1/admin", "/x/..;/admin/", "/x/..;x=1/admin/", "/admin%3bx/",
    "/%2561dmin/", "/admin%252fusers", "/%25%36%31dmin/",
    "/\\admin", "/x\\..\\admin", "/admin\\users", "/x%5c..%5cadmin", "/admin%5c..%5copen",
    "/admin.json", "/admin./", "/admin%20/", "/admin%20", "/admin~", "/admin,/", "/admin%09/",
    "/admin%0a", "/admin%0d%0a/", "/x%0a/admin/", "/x%0a%2fadmin", "/admin%3fx", "/admin%23x", "/%c0%afadmin/",
    "/x/%c0%ae%c0%ae/admin/", "/x#/../admin",
    "http://panel.test/admin/", "https://panel.test/admin", "https://panel.test//admin", "https://panel.test/x/../admin",
)  # fmt: skip
WAYS_ELSEWHERE = ("/", "/open", "/administrator", "/admin-old/", "/x/admin/", "/open?next=/admin/../x;y", "/a%20b")


@pytest.fixture
def upstream() -> Iterator[str]:
    """Run an upstream that tells what reached it."""
    with echo() as name:
        yield name


def test_every_way_into_a_demanding_location_is_refused_without_a_certificate(start: Start, upstream: str) -> None:
    """The answer comes from nginx, never from the upstream, whatever the spelling."""
    port = start(client_certificates=ClientCertificates.OPTIONAL, upstream=upstream, locations=(ADMIN,))
    seen = {path: Visitor(port).get(path) for path in WAYS_IN}
    passed = {path: answer.body for path, answer in seen.items() if answer.status != 400 or '"path"' in answer.body}
    assert passed == {}


def test_every_way_into_a_demanding_location_is_refused_for_another_group(start: Start, upstream: str) -> None:
    """A good certificate that the location's list does not name gets no further."""
    port = start(client_certificates=ClientCertificates.OPTIONAL, upstream=upstream, locations=(ADMIN,))
    visitor = Visitor(port, client(ENG))
    seen = {path: visitor.get(path) for path in WAYS_IN}
    passed = {path: answer.body for path, answer in seen.items() if '"path"' in answer.body or answer.status < 400}
    assert passed == {}
    assert seen["/admin"].decision == "refused 403"
    assert seen["/admin"].title == "Not on the list"


def test_other_paths_stay_open(start: Start, upstream: str) -> None:
    """The demand is that of the path, not of names that begin alike, and query strings are not looked at."""
    port = start(client_certificates=ClientCertificates.OPTIONAL, upstream=upstream, locations=(ADMIN,))
    for path in WAYS_ELSEWHERE:
        answer = Visitor(port).get(path)
        assert (answer.status, json.loads(answer.body)["path"]) == (200, path)


def test_the_right_group_goes_in_by_every_way(start: Start, upstream: str) -> None:
    """Nothing is refused by the demand to whom it names; nginx itself refuses paths that leave the root."""
    port = start(client_certificates=ClientCertificates.OPTIONAL, upstream=upstream, locations=(ADMIN,))
    visitor = Visitor(port, client(OPS))
    refused = {path: answer.body for path in WAYS_IN if (answer := visitor.get(path)).status != 200}
    assert refused == {}


def test_an_upstream_cannot_be_used_to_redirect_inside(start: Start, upstream: str) -> None:
    """X-Accel-Redirect to the protected path is decided anew."""
    port = start(client_certificates=ClientCertificates.OPTIONAL, upstream=upstream, locations=(ADMIN,))
    for target in ("/admin/secret", "/ADMIN/secret", "/admin"):
        assert Visitor(port).get(f"/x-accel?{target}").decision == "refused 496"
    assert json.loads(Visitor(port, client(OPS)).get("/x-accel?/admin/secret").body)["path"] == "/admin/secret"


def test_locations_within_locations_add_up(start: Start, upstream: str) -> None:
    """The inner demand does not replace the outer one."""
    boss = client("CN=boss,OU=board,O=Lab", serial=0x0BEEF)
    inner = Location("/admin/keys", REQUIRED, Allow(serial_numbers=(0x0BEEF, 0x0ABE)))
    both = client("CN=both,OU=ops,O=Lab", serial=0x0ABE)
    port = start(client_certificates=ClientCertificates.OPTIONAL, upstream=upstream, locations=(ADMIN, inner))
    assert Visitor(port, boss).get("/admin/keys/1").decision == "refused 403"
    assert Visitor(port, client(OPS)).get("/admin/keys/1").decision == "refused 403"
    assert Visitor(port, client(OPS)).get("/admin/").status == 200
    assert Visitor(port, both).get("/admin/keys/1").status == 200


def test_a_location_narrows_a_site_that_requires_certificates(start: Start, upstream: str) -> None:
    """Every client is verified, and some paths are for some of them; no certificate stays 400."""
    port = start(upstream=upstream, locations=(Location("/admin", allow=Allow(groups=("ops",))),))
    assert Visitor(port, client(ENG)).get("/").status == 200
    assert Visitor(port, client(ENG)).get("/admin").decision == "refused 403"
    assert Visitor(port, client(OPS)).get("/admin").status == 200
    assert Visitor(port).get("/").decision == "refused 496"


def test_a_location_may_have_its_own_target(start: Start, upstream: str, tmp_path: Path) -> None:
    """Files here, an upstream there; a file behind the demand is as safe as an upstream, also by its index."""
    tmp_path.chmod(0o755)
    (tmp_path / "admin").mkdir()
    (tmp_path / "admin" / "index.html").write_text("the index")
    (tmp_path / "index.html").write_text("hello")
    port = start(
        client_certificates=ClientCertificates.OPTIONAL,
        root=str(tmp_path),
        locations=(ADMIN, Location("/api", upstream=upstream)),
    )
    assert Visitor(port).get("/").body == "hello"
    assert json.loads(Visitor(port).get("/api/x").body)["path"] == "/api/x"
    assert Visitor(port).get("/admin/").decision == "refused 496"
    assert Visitor(port).get("/admin/index.html").decision == "refused 496"
    assert Visitor(port, client(OPS)).get("/admin/").body == "the index"
    assert Visitor(port).get("/missing").status == 404


def test_a_file_that_may_not_be_read_is_not_blamed_on_the_certificate(start: Start, tmp_path: Path) -> None:
    """A directory without an index is 403 with another page than that of the allow list."""
    tmp_path.chmod(0o755)
    (tmp_path / "empty").mkdir()
    answer = Visitor(start(root=str(tmp_path)), client(ENG)).get("/empty/")
    assert (answer.status, answer.title, answer.decision) == (403, "Not available", "admitted")


@pytest.mark.parametrize(
    ("added", "path"),
    [
        ("location /sneak/ { rewrite ^/sneak/(.*)$ /admin/$1 last; }", "/sneak/users"),
        ("location /sneak/ { try_files /none /admin/users; }", "/sneak/users"),
        ("location /sneak/ { error_page 404 = /admin/users; return 404; }", "/sneak/users"),
        ("rewrite ^/sneak/(.*)$ /admin/$1;", "/sneak/users"),
        (r"location ~ \.php$ { return 200 in; }", "/admin/x.php"),
        (r"location ~* ^/admin { return 200 in; }", "/admin"),
        ("location = /admin/exact { return 200 in; }", "/admin/exact"),
        ("location ^~ /admin/deeper { return 200 in; }", "/admin/deeper/x"),
        ("location ^~ /admin/deeper { location ~ php { return 200 in; } }", "/admin/deeper/x.php"),
    ],
)
def test_foreign_locations_and_rewrites_do_not_open_it(
    private_nginx: PrivateNginx, nginx_version: NginxVersion, upstream: str, added: str, path: str
) -> None:
    """Whatever somebody writes into the rendered server, the demand holds."""
    port = free_port()
    site = make_site(
        port, client_certificates=ClientCertificates.OPTIONAL, upstream=upstream, locations=(ADMIN,),
        revocation=Revocation.MAP,
    )  # fmt: skip
    files = render([(site, material())], version=nginx_version, generation=7, layout=layout_of(private_nginx.base))
    changed = [
        PlannedFile(file.path, file.content.replace(b"    location / {", f"    {added}\n    location / {{".encode()))
        if file.path == "sites/panel.conf"
        else file
        for file in files
    ]
    serve(private_nginx, FileSet(tuple(changed)), ("127.0.0.1", port))
    assert Visitor(port).get(path).status == 400
    assert Visitor(port, client(ENG)).get(path).status == 403
    assert Visitor(port, client(OPS)).get(path).status == 200
