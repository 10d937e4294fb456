"""What the API refuses, by its code, where no other test looks for that."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from api_client import Client, make_api
from counterseal.compose.place import store_path
from counterseal.protocols.api.wishes import EXAMPLE_CSR
from integration.api.test_issuing import csr_for
from service_process import SECONDS, Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

CA = x509.BasicConstraints(ca=True, path_length=0)
STAPLE = x509.TLSFeature([x509.TLSFeatureType.status_request])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return a running service."""
    home = tmp_path_factory.mktemp("refused") / "home"
    make_api(home, names=["operator"])
    with running(home) as service:
        yield service


def change(service: Running, sql: str) -> None:
    """Change something in the store that a service never would."""
    connection = sqlite3.connect(store_path(service.home), timeout=SECONDS)
    with connection:
        connection.execute(sql)
    connection.close()


def test_a_body_is_json(service: Running) -> None:
    """As curl sends it with ``-d`` alone, it is not; the hint says what is missing."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = Client(service, "operator").call("POST", "/v1/credentials", b"{}", form)
    assert (answer.status, answer.json["code"], answer.json["hint"]) == (
        415,
        "api.media_type",
        "send Content-Type: application/json",
    )


@pytest.mark.parametrize(
    ("path", "wish", "code"),
    [
        ("credentials", {"profile": "server", "name": "www.example.com", "group": "staff"}, "api.group"),
        ("certificates", {"profile": "server", "csr": EXAMPLE_CSR, "group": "staff"}, "api.group"),
        ("certificates", {"profile": "server", "csr": EXAMPLE_CSR, "group": "staff", "dry_run": True}, "api.group"),
        ("certificates", {"profile": "client", "csr": EXAMPLE_CSR, "group": "a", "subject": "CN=b"}, "subject.group"),
        ("certificates", {"csr": csr_for("ca.example.com", CA), "profile": "server"}, "api.extensions"),
        ("certificates/{serial}/export", {"private_key": "hello"}, "api.private_key"),
    ],
)
def test_what_cannot_be_meant(service: Running, path: str, wish: dict[str, Any], code: str) -> None:
    """A group of a server, and one beside a subject, which says it itself; a CSR of a CA; no key."""
    operator = Client(service, "operator")
    (own,) = operator.call("GET", "/v1/certificates?name=operator").json["certificates"]
    answer = operator.call("POST", f"/v1/{path.format(serial=own['serial_number'])}", wish)
    assert (answer.status, answer.json["code"]) == (422, code), answer.content


def test_a_server_that_nobody_could_staple_for(service: Running) -> None:
    """Certificates name no responder here, and must-staple would have clients refuse the server."""
    wish = {"csr": csr_for("a.example.com", STAPLE), "profile": "server", "dry_run": True}
    answer = Client(service, "operator").call("POST", "/v1/certificates", wish)
    assert (answer.status, answer.json["findings"][0]["code"]) == (403, "policy.must_staple"), answer.content


def test_a_kept_answer_that_was_changed_is_not_given(service: Running) -> None:
    """It is sealed, because there may be a key in it."""
    operator, headers = Client(service, "operator"), {"Idempotency-Key": "sealed"}
    wish = {"profile": "client", "name": "judy", "packing": {"format": "pem"}}
    assert operator.call("POST", "/v1/credentials", wish, headers).status == 201
    change(service, "update api_answer set answer = zeroblob(length(answer))")
    answer = operator.call("POST", "/v1/credentials", wish, headers)
    assert (answer.status, answer.json["code"]) == (500, "idempotency.sealed")


@pytest.mark.parametrize("where", ["/v1/crls/clients", "/crl/clients.crl"])
def test_a_list_that_was_never_published(service: Running, where: str) -> None:
    """Until the service has signed one, which it does by itself, so it may be before we ask."""
    deadline = time.monotonic() + SECONDS
    while True:
        change(service, "delete from crl where issuer = 'clients'")
        answer = Client(service, "operator").call("GET", where)
        if answer.status == 404:
            break
        assert time.monotonic() < deadline, answer.status
    assert answer.json["detail"] == "no list of this CA was published yet: clients"
    assert service.logged("request", path=where, status=404)["problem"] == "crl.none"
