"""The API asked by clients with real certificates: who may, what is there to read, and how it says no."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from api_client import CONFIGURATION, Client, make_api, make_client, make_token
from command import counterseal
from counterseal.pki.shown import show_serial
from counterseal.store.sqlite import open_store
from integration.serve.test_watching import ask_ocsp
from service_process import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return a running service that the tests of this module share."""
    home = tmp_path_factory.mktemp("api") / "home"
    make_api(home)
    for name in ("alice", "bob", "carol"):
        make_client(home, name)
    with running(home) as service:
        yield service


def test_the_document_is_openapi(service: Running) -> None:
    """Anybody may read it, and a validator of OpenAPI 3.1 has nothing to say."""
    answer = Client(service).call("GET", "/v1/openapi.json")
    assert answer.status == 200
    validate(answer.json, cls=OpenAPIV31SpecValidator)
    assert {"/v1/certificates", "/v1/crls/{name}", "/v1/key-uses"} <= answer.json["paths"].keys()


@pytest.mark.parametrize(
    ("name", "method", "path", "status", "code"),
    [
        (None, "GET", "/v1/certificates", 401, "api.unauthenticated"),
        ("nobody", "GET", "/v1/certificates", 403, "api.forbidden"),
        ("viewer", "GET", "/v1/certificates", 200, None),
        ("viewer", "GET", "/v1/key-uses/verification", 403, "api.forbidden"),
        ("operator", "POST", "/v1/crls", 403, "api.forbidden"),
        ("admin", "GET", "/v1/key-uses/verification", 200, None),
    ],
)
def test_roles(service: Running, name: str | None, method: str, path: str, status: int, code: str | None) -> None:
    """Without a certificate nobody is known; with one, a grant decides."""
    answer = Client(service, name).call(method, path)
    assert answer.status == status
    if code is not None:
        assert answer.json["code"] == code
        assert answer.response.headers["Content-Type"] == "application/problem+json"


def test_a_revoked_caller_is_nobody(service: Running) -> None:
    """From the moment of its revocation a certificate opens nothing, whatever TLS says."""
    make_client(service.home, "leaver", "--group", "viewers")
    leaver = Client(service, "leaver")
    assert leaver.call("GET", "/v1/cas").status == 200
    assert counterseal(service.home, "revoke", "leaver").code == 0
    answer = leaver.call("GET", "/v1/cas")
    assert (answer.status, answer.json["code"]) == (401, "peer.revoked")


def test_pages_of_certificates(service: Running) -> None:
    """Every one once, however small the pages."""
    viewer, names, after = Client(service, "viewer"), [], ""
    while True:
        page = viewer.call("GET", f"/v1/certificates?profile=client&limit=2{after}").json
        names += [one["name"] for one in page["certificates"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(names) == len(set(names))
    assert {"alice", "bob", "carol"} <= set(names)


def test_what_is_shown_only_when_asked_for(service: Running) -> None:
    """A number of which no certificate came, and a certificate of the OCSP responder."""
    viewer = Client(service, "viewer")
    with open_store(service.home / "store.sqlite") as store:
        store.reserve(0xABCDEF, issuer="servers", name="lost.example.com", profile="server", at=1, actor="cli")
    assert not viewer.call("GET", "/v1/certificates?name=lost").json["certificates"]
    (lost,) = viewer.call("GET", "/v1/certificates?status=reserved").json["certificates"]
    assert (lost["serial_number"], lost["status"], lost["not_after"]) == (show_serial(0xABCDEF), "reserved", None)
    ask_ocsp(service)
    shown, probes = (
        {one["profile"] for one in viewer.call("GET", f"/v1/certificates?limit=1000{more}").json["certificates"]}
        for more in ("", "&probes=true")
    )
    assert probes - shown == {"ocsp"}


def test_valid_is_not_expired(service: Running) -> None:
    """A certificate past its end is expired, here as with ``counterseal list``."""
    viewer, operator = Client(service, "viewer"), Client(service, "operator")
    operator.call("POST", "/v1/credentials", {"profile": "client", "name": "brief", "lifetime": "1s"})

    def listed(status: str) -> list[str]:
        page = viewer.call("GET", f"/v1/certificates?name=brief&status={status}").json
        return [one["name"] for one in page["certificates"]]

    ends = time.monotonic() + 30
    while listed("expired") != ["brief"]:
        assert time.monotonic() < ends
    assert listed("valid") == listed("revoked") == []


def test_one_certificate(service: Running) -> None:
    """By serial number, as JSON and as PEM with its chain; who has it already is told so."""
    viewer = Client(service, "viewer")
    found = viewer.call("GET", "/v1/certificates?name=alice").json["certificates"][0]
    path = f"/v1/certificates/{found['serial_number']}"
    shown = viewer.call("GET", path)
    assert shown.json["certificate"] == found
    certificate = x509.load_pem_x509_certificate(shown.json["pem"].encode())
    assert f"{certificate.serial_number:X}" in found["serial_number"]
    assert viewer.call("GET", path, headers={"If-None-Match": shown.response.headers["ETag"]}).status == 304
    chain = x509.load_pem_x509_certificates(viewer.call("GET", f"{path}/chain").content)
    assert chain[0] == certificate
    chain[0].verify_directly_issued_by(chain[1])
    assert viewer.call("GET", "/v1/certificates/0123").json["code"] == "certificate.unknown"


def test_lists_and_the_log(service: Running) -> None:
    """An admin publishes; the number goes up, the list verifies, the log has it under his name and is intact."""
    admin = Client(service, "admin")
    before = {one["issuer"]: one["number"] for one in admin.call("GET", "/v1/crls").json["crls"]}
    signed = admin.call("POST", "/v1/crls", {"only": ["clients"]}).json["signed"]
    assert [(one["issuer"], one["number"]) for one in signed] == [("clients", before["clients"] + 1)]
    crl = x509.load_der_x509_crl(admin.call("GET", "/v1/crls/clients").content)
    ca = x509.load_pem_x509_certificate(admin.call("GET", "/v1/cas/clients").json["certificate"].encode())
    assert crl.is_signature_valid(ca.public_key())  # type: ignore[arg-type] # a CA's key can sign
    uses: list[dict[str, str]] = []
    after: int | None = 0
    while after is not None:
        page = admin.call("GET", f"/v1/key-uses?limit=5&after={after}").json
        uses, after = uses + page["key_uses"], page["next"]
    assert ("api:admin", f"crl {signed[0]['number']}") in {(use["actor"], use["action"]) for use in uses}
    verified = admin.call("GET", "/v1/key-uses/verification").json
    assert (verified["intact"], verified["findings"]) == (True, [])
    number, _, noted = verified["head"].partition(":")
    last = admin.call("GET", f"/v1/key-uses?after={int(number) - 1}&limit=1").json["key_uses"]
    assert [(one["sequence"], one["hash"]) for one in last] == [(int(number), noted)]
    for anchor, codes in ((verified["head"], []), (f"{number}:{'0' * 64}", ["log.anchor"])):
        verified = admin.call("GET", f"/v1/key-uses/verification?anchor={anchor}").json
        assert [one["code"] for one in verified["findings"]] == codes
    refused = admin.call("GET", "/v1/key-uses/verification?anchor=7")
    assert (refused.status, refused.json["code"]) == (422, "log.head")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "where"),
    [
        ("GET", "/v1/certificates?limit=0", None, 400, "limit"),
        ("GET", "/v1/certificates?limt=1", None, 400, "limt"),
        ("GET", "/v1/certificates?expiring=soon", None, 422, None),
        ("GET", "/v1/certificates/nonsense", None, 400, "serial_number"),
        ("POST", "/v1/crls", b'{"only": ["clients", 7]}', 400, "/only/1"),
        ("POST", "/v1/crls", b'{"onyl": []}', 400, "/onyl"),
        ("POST", "/v1/crls", b"{", 400, None),
        ("POST", "/v1/crls", b'{"only": ["nobody"]}', 404, None),
        ("DELETE", "/v1/crls", None, 405, None),
        ("GET", "/v1/nothing", None, 404, None),
    ],
)
def test_what_does_not_fit(
    service: Running, method: str, path: str, body: bytes | None, status: int, where: str | None
) -> None:
    """A problem document says where; nothing that is misspelt is ignored."""
    answer = Client(service, "admin").call(method, path, body)
    assert (answer.status, answer.response.headers["Content-Type"]) == (status, "application/problem+json")
    if where is not None:
        assert [one["where"] for one in answer.json["findings"]] == [where]


@pytest.mark.parametrize("method", ["DELETE", "TRACE", "PROPFIND"])
def test_who_asks_by_another_method_is_told_which_there_are(service: Running, method: str) -> None:
    """Those of this path and no others, whether anybody knows the method or not."""
    answer = Client(service, "admin").call(method, "/v1/crls")
    assert (answer.status, answer.response.headers["Content-Type"]) == (405, "application/problem+json")
    assert sorted(answer.response.headers["Allow"].split(", ")) == ["GET", "HEAD", "POST"]


def test_the_host(service: Running) -> None:
    """Where nothing is deployed there is no generation."""
    viewer = Client(service, "viewer")
    assert viewer.call("GET", "/v1/sites").json == {"sites": [], "generation": None}
    assert viewer.call("GET", "/v1/nginx/generations").json == {"generations": []}


def test_limits_are_for_each_caller(tmp_path: Path) -> None:
    """Who asks too often is told when to come again; somebody else is not held up by it."""
    make_api(tmp_path / "home", CONFIGURATION.replace("requests_per_minute = 0", "requests_per_minute = 1"))
    with running(tmp_path / "home") as service:
        viewer = Client(service, "viewer")
        first, second = (viewer.call("GET", "/v1/cas") for _ in range(2))
        assert (first.status, second.status, second.json["code"]) == (200, 429, "api.too_many_requests")
        assert 1 <= int(second.response.headers["Retry-After"]) <= 60
        assert Client(service, "admin").call("GET", "/v1/cas").status == 200
        token = Client(service, token=make_token(service.home, "viewer", "--role", "viewer")["secret"])
        assert [token.call("GET", "/v1/cas").status for _ in range(2)] == [200, 429]  # of that name, and not that one
