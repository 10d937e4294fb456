"""Issuing and revoking over the API, by clients with real certificates."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs12
from cryptography.x509.oid import NameOID

from api_client import CONFIGURATION, Client, make_api, make_client
from command import counterseal
from counterseal.compose.home import settings_of
from counterseal.compose.stores import open_store
from counterseal.protocols.api.once import ABANDONED_SECONDS
from counterseal.store.api_answers import Asked, begin_answer
from postgresql_process import cluster
from service_process import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

PARTS = ["certificate", "remarks"]
LIMITED = '[[api.access]]\ngroup = "web"\nrole = "operator"\nprofiles = ["server"]\n'


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return a running service that the tests of this module share, with its store in a file and in a server."""
    home, url = tmp_path_factory.mktemp("api") / "home", None
    configuration = CONFIGURATION + LIMITED
    if request.param == "postgresql":
        url = cluster().create()
        configuration += f'[store]\nurl = "{url}"\n'
    make_api(home, configuration)
    make_client(home, "webmaster", "--group", "web")
    with running(home) as service:
        yield service
    if url is not None:
        cluster().drop(url)


def csr_for(name: str, *extensions: x509.ExtensionType) -> str:
    """Return a CSR in PEM for a new key that asks for this DNS name, and these extensions."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    for extension in (x509.SubjectAlternativeName([x509.DNSName(name)]), *extensions):
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(ec.generate_private_key(ec.SECP256R1()), SHA256()).public_bytes(Encoding.PEM).decode()


def named(service: Running, name: str) -> list[dict[str, Any]]:
    """Return the certificates whose names begin with this."""
    found: list[dict[str, Any]] = (
        Client(service, "viewer").call("GET", f"/v1/certificates?name={name}").json["certificates"]
    )
    return found


def test_a_csr_is_signed(service: Running) -> None:
    """It is in the inventory under the caller's name, and its chain leads to the root."""
    answer = Client(service, "operator").call(
        "POST", "/v1/certificates", {"csr": csr_for("a.example.com"), "profile": "server", "lifetime": "7d"}
    )
    assert answer.status == 201, answer.content
    certificate = answer.json["certificate"]
    assert (certificate["name"], certificate["created_by"]) == ("a.example.com", "api:operator")
    chain = x509.load_pem_x509_certificates(answer.json["chain"].encode())
    chain[0].verify_directly_issued_by(chain[1])
    shown = Client(service, "viewer").call("GET", answer.response.headers["Location"])
    assert shown.json["certificate"] == certificate


def test_a_credential_opens_with_its_password(service: Running) -> None:
    """A PKCS#12 with the key that was made here; the answer is the only place where it ever is."""
    answer = Client(service, "operator").call("POST", "/v1/credentials", {"profile": "client", "name": "dora"})
    assert answer.status == 201, answer.content
    files = {one["name"]: b64decode(one["content"]) for one in answer.json["files"]}
    held = pkcs12.load_pkcs12(files["dora.p12"], answer.json["password"].encode())
    assert held.cert is not None
    assert held.key is not None
    assert held.key.public_key() == held.cert.certificate.public_key()
    assert answer.json["password"] not in str(service.lines)


def test_a_server_in_pem(service: Running) -> None:
    """Without a password; the key file is the certificate's."""
    wish = {"profile": "server", "name": "b.example.com", "names": ["10.0.0.7"], "packing": {"format": "pem"}}
    answer = Client(service, "webmaster").call("POST", "/v1/credentials", wish)
    assert answer.status == 201, answer.content
    files = {one["name"]: b64decode(one["content"]) for one in answer.json["files"]}
    key = load_pem_private_key(files["b.example.com.key.pem"], None)
    certificate = x509.load_pem_x509_certificate(files["b.example.com.cert.pem"])
    assert key.public_key() == certificate.public_key()
    assert answer.json["certificate"]["names"] == ["DNS:b.example.com", "IP:10.0.0.7"]


def test_profiles_and_roles_bound_what_is_issued(service: Running) -> None:
    """A grant for servers is none for clients, and nobody issues a certificate that may more than he may."""
    refused = Client(service, "webmaster").call("POST", "/v1/credentials", {"profile": "client", "name": "eve"})
    assert (refused.status, refused.json["code"]) == (403, "api.forbidden")
    wish = {"profile": "client", "name": "eve", "group": "admins"}
    refused = Client(service, "operator").call("POST", "/v1/credentials", wish)
    assert (refused.status, refused.json["code"]) == (403, "api.escalation")
    assert named(service, "eve") == []
    assert Client(service, "admin").call("POST", "/v1/credentials", wish | {"name": "frank"}).status == 201


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"packing": {"format": "pem", "password": "correct horse battery"}}, "bundle.password_unused"),
        ({"packing": {"password": "short"}}, "bundle.password_weak"),
        ({"key": "ed25519"}, "bundle.browser_key"),
    ],
)
def test_what_cannot_be_handed_over_is_not_issued(service: Running, wish: dict[str, Any], code: str) -> None:
    """No valid certificate is left of which nobody has the key."""
    wish = {"profile": "client", "name": "ivan", **wish}
    answer = Client(service, "operator").call("POST", "/v1/credentials", wish)
    assert (answer.status, answer.json["code"]) == (422, code)
    assert named(service, "ivan") == []


def test_policy_says_why(service: Running) -> None:
    """Every reason, and nothing is issued."""
    wish = {"profile": "server", "csr": csr_for("c.example.com"), "lifetime": "9000d", "names": ["email:a@b.test"]}
    answer = Client(service, "operator").call("POST", "/v1/certificates", wish)
    assert (answer.status, answer.json["code"]) == (403, "policy.refused")
    assert {one["code"] for one in answer.json["findings"]} == {"policy.lifetime", "policy.name_kind"}
    assert named(service, "c.example.com") == []


def test_nobody_outlives_the_profile_unless_it_says_so(service: Running) -> None:
    """The usual lifetime of servers is 90 days; longer ones are for the command line, where no max_lifetime is set."""
    operator = Client(service, "operator")
    (shown,) = [one for one in operator.call("GET", "/v1/profiles").json["profiles"] if one["name"] == "server"]
    assert shown["max_lifetime"] == shown["lifetime"] == 90 * 86_400
    wish = {"profile": "server", "name": "long.example.com", "lifetime": "91d"}
    csr = {"profile": "server", "csr": csr_for("long.example.com"), "lifetime": "91d"}
    for path, body in (("/v1/credentials", wish), ("/v1/certificates", csr)):
        refused = operator.call("POST", path, body)
        assert [one["code"] for one in refused.json["findings"]] == ["policy.lifetime"], refused.json
    refused = operator.call("POST", "/v1/tokens", wish)
    assert (refused.status, refused.json["code"]) == (403, "token.lifetime")
    assert named(service, "long.example.com") == []
    ran = counterseal(
        service.home, "server", "long.example.com", "--lifetime", "91d", "--json", "--out", str(service.home / "long")
    )
    assert ran.code == 0, ran.stderr + ran.stdout
    made = json.loads(ran.stdout)
    path = f"/v1/certificates/{made['certificate']['serial_number']}/renew"
    assert operator.call("POST", path, {}).status == 201
    assert operator.call("POST", path, {"lifetime": "91d"}).json["code"] == "policy.refused"


def test_a_rehearsal_issues_nothing(service: Running) -> None:
    """It says what would be issued, or why it would not, and uses up no key for idempotency."""
    operator, headers = Client(service, "operator"), {"Idempotency-Key": "rehearsed"}
    before = operator.call("GET", "/v1/key-uses?limit=1000").json
    wish = {"profile": "client", "name": "olga", "lifetime": "2d", "dry_run": True}
    told = operator.call("POST", "/v1/credentials", wish, headers)
    assert (told.status, sorted(told.json), told.json["certificate"]["subject"]) == (200, PARTS, "CN=olga")
    csr = {"profile": "server", "csr": csr_for("e.example.com"), "dry_run": True}
    assert operator.call("POST", "/v1/certificates", csr).json["certificate"]["names"] == ["DNS:e.example.com"]
    assert operator.call("POST", "/v1/credentials", wish | {"group": "admins"}).json["code"] == "api.escalation"
    assert operator.call("POST", "/v1/credentials", wish | {"lifetime": "9000d"}).json["code"] == "policy.refused"
    assert named(service, "olga") == named(service, "e.example.com") == []
    assert operator.call("GET", "/v1/key-uses?limit=1000").json == before
    made = operator.call("POST", "/v1/credentials", wish | {"dry_run": False}, headers)
    path = f"/v1/certificates/{made.json['certificate']['serial_number']}"
    for again in ("renew", "rekey"):
        assert operator.call("POST", f"{path}/{again}", {"dry_run": True}).status == 200
    assert len(named(service, "olga")) == 1


@pytest.mark.parametrize("kind", ["csr", "key"])
def test_a_key_is_issued_for_once(service: Running, kind: str) -> None:
    """Sixteen requests with one Idempotency-Key at once have one answer; the same key for another one is refused."""
    operator, headers = Client(service, "operator"), {"Idempotency-Key": f"key-{kind}"}
    path, wish = "/v1/credentials", {"profile": "client", "name": f"once-{kind}", "packing": {"format": "pem"}}
    if kind == "csr":
        path, wish = "/v1/certificates", {"csr": csr_for("once.example.com"), "profile": "server", "name": "once-csr"}
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: operator.call("POST", path, wish, headers), range(16)))
    assert {(one.status, one.content) for one in answers} == {(201, answers[0].content)}
    assert len(named(service, f"once-{kind}")) == 1
    other = operator.call("POST", path, wish | {"lifetime": "1d"}, headers)
    assert (other.status, other.json["code"]) == (422, "idempotency.other_request")
    mine = Client(service, "admin").call("POST", path, wish, headers)  # another caller's key is another one
    assert mine.json["certificate"]["serial_number"] != answers[0].json["certificate"]["serial_number"]


def test_a_key_stands_for_the_query_too(service: Running) -> None:
    """Which CA's certificate is meant stands there: of imported CAs several have used one serial number."""
    operator, headers = Client(service, "operator"), {"Idempotency-Key": "whose"}
    made = operator.call(
        "POST", "/v1/credentials", {"profile": "client", "name": "whose", "packing": {"format": "pem"}}
    )
    path = f"/v1/certificates/{made.json['certificate']['serial_number']}/renew"
    assert operator.call("POST", f"{path}?issuer=clients", {}, headers).status == 201
    other = operator.call("POST", path, {}, headers)
    assert (other.status, other.json["code"]) == (422, "idempotency.other_request")


def test_what_a_crash_left_is_taken_over(service: Running) -> None:
    """A key whose process ended before it had signed is worked on anew by the same request; one at work is not."""
    body = b'{"profile": "client", "name": "judy", "packing": {"format": "pem"}}'
    request = sha256(b"POST\n/v1/credentials\n" + body).digest()
    caller = "clients\noperator\n" + named(service, "operator")[0]["subject"]
    dead, alive = (Asked(caller, sha256(key).digest(), request) for key in (b"dead", b"alive"))
    now = int(time.time())
    with open_store(service.home, settings_of(service.home).store) as store:
        assert begin_answer(store, dead, b"1", now - ABANDONED_SECONDS - 5, abandoned_before=0)
        assert begin_answer(store, alive, b"2", now + 3600, abandoned_before=0)
    operator = Client(service, "operator")
    for key in ("dead", "alive"):
        other = operator.call("POST", "/v1/credentials", body.replace(b"judy", b"jude"), {"Idempotency-Key": key})
        assert (other.status, other.json["code"]) == (422, "idempotency.other_request")
    first, second = (operator.call("POST", "/v1/credentials", body, {"Idempotency-Key": "dead"}) for _ in range(2))
    assert (first.status, first.content) == (201, second.content)
    assert len(named(service, "judy")) == 1
    waiting = operator.call("POST", "/v1/credentials", body, {"Idempotency-Key": "alive"})
    assert (waiting.status, waiting.json["code"]) == (409, "idempotency.under_way")
    assert len(named(service, "judy")) == 1


def test_a_key_of_a_refused_request_is_free(service: Running) -> None:
    """What was refused has used up nothing."""
    operator, headers = Client(service, "operator"), {"Idempotency-Key": "tried"}
    wish = {"profile": "client", "name": "grace", "lifetime": "9000d"}
    assert operator.call("POST", "/v1/credentials", wish, headers).status == 403
    assert operator.call("POST", "/v1/credentials", wish | {"lifetime": "9d"}, headers).status == 201


def test_renew_and_rekey(service: Running) -> None:
    """The same names for the same key, and for a new one."""
    operator = Client(service, "operator")
    made = operator.call("POST", "/v1/certificates", {"csr": csr_for("d.example.com"), "profile": "server"}).json
    path = f"/v1/certificates/{made['certificate']['serial_number']}"
    before = x509.load_pem_x509_certificate(made["chain"].encode())
    renewed = operator.call("POST", f"{path}/renew", {})
    after = x509.load_pem_x509_certificate(renewed.json["chain"].encode())
    assert (renewed.status, after.public_key() == before.public_key()) == (201, True)
    rekeyed = operator.call("POST", f"{path}/rekey", {"packing": {"format": "pem"}})
    assert rekeyed.status == 201, rekeyed.content
    files = {one["name"]: b64decode(one["content"]) for one in rekeyed.json["files"]}
    assert x509.load_pem_x509_certificate(files["d.example.com.cert.pem"]).public_key() != before.public_key()
    exported = operator.call("POST", f"{path}/export", {"packing": {"format": "pem"}})
    assert exported.status == 200
    assert operator.call("POST", f"{path}/export", {"packing": {"format": "p12"}}).json["code"] == "bundle.key_missing"


def test_a_rekey_can_revoke_the_one_before(service: Running) -> None:
    """In one step, once for a key: a repetition has the same files, and the same certificate is the revoked one.

    The new key is of the kind as before.
    """
    operator, headers = Client(service, "operator"), {"Idempotency-Key": "rekeyed"}
    first = {"profile": "client", "name": "ivan", "key": "p-384"}
    made = operator.call("POST", "/v1/credentials", first).json["certificate"]
    path, wish = f"/v1/certificates/{made['serial_number']}", {"revoke_old": True, "packing": {"format": "pem"}}
    assert operator.call("POST", f"{path}/rekey", wish | {"dry_run": True}).status == 200
    assert operator.call("GET", path).json["certificate"]["status"] == "valid"
    rekeyed = operator.call("POST", f"{path}/rekey", wish, headers)
    assert rekeyed.status == 201, rekeyed.content
    files = {one["name"]: b64decode(one["content"]) for one in rekeyed.json["files"]}
    key = x509.load_pem_x509_certificate(files["ivan.cert.pem"]).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp384r1"
    revoked = rekeyed.json["revoked"]
    assert (revoked["serial_number"], revoked["revocation_reason"]) == (made["serial_number"], "superseded")
    crl = x509.load_der_x509_crl(operator.call("GET", "/v1/crls/clients").content)
    assert crl.get_revoked_certificate_by_serial_number(int(made["serial_number"], 16)) is not None
    again = operator.call("POST", f"{path}/rekey", wish, headers)
    assert (again.json["files"], again.json["revoked"]) == (rekeyed.json["files"], revoked)
    assert sorted(one["status"] for one in named(service, "ivan")) == ["revoked", "valid"]
    assert operator.call("POST", f"{path}/rekey", wish).json["code"] == "certificate.not_valid"


def test_revoke_hold_and_back(service: Running) -> None:
    """The list that says so is published when the answer comes, and the answer tells what is not in force yet."""
    operator = Client(service, "operator")
    made = operator.call("POST", "/v1/credentials", {"profile": "client", "name": "heidi"}).json["certificate"]
    path, serial = f"/v1/certificates/{made['serial_number']}", int(made["serial_number"], 16)
    held = operator.call("POST", f"{path}/revoke", {"reason": "certificate_hold"})
    assert (held.status, held.json["certificate"]["status"]) == (200, "held")
    crl = x509.load_der_x509_crl(operator.call("GET", "/v1/crls/clients").content)
    assert crl.get_revoked_certificate_by_serial_number(serial) is not None
    number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    assert held.json["in_force"] == {"crl_number": number, "ocsp": True, "nginx": "not_deployed"}
    assert operator.call("POST", f"{path}/renew", {}).json["code"] == "certificate.not_valid"
    assert operator.call("POST", f"{path}/unrevoke").json["certificate"]["status"] == "valid"
    assert operator.call("POST", f"{path}/revoke", {"reason": "key_compromise"}).status == 200
    again = operator.call("POST", f"{path}/revoke", {})
    assert (again.status, again.json["code"]) == (409, "revoke.already")
    assert operator.call("POST", f"{path}/unrevoke").json["code"] == "unrevoke.not_held"
    shown = counterseal(service.home, "show", made["serial_number"])
    assert "key_compromise" in shown.stdout


def test_a_compromised_key_gets_no_other_certificate(service: Running) -> None:
    """Once its revocation says so, whatever is asked for it, and in a rehearsal too; until then it does."""
    operator = Client(service, "operator")
    wish = {"csr": csr_for("lost.example.com"), "profile": "server"}
    first, second = (operator.call("POST", "/v1/certificates", wish).json["certificate"] for _ in range(2))
    path, other = (f"/v1/certificates/{one['serial_number']}" for one in (first, second))
    assert operator.call("POST", f"{path}/revoke", {"reason": "superseded"}).status == 200
    assert operator.call("POST", f"{other}/renew", {"dry_run": True}).status == 200
    assert operator.call("POST", f"{other}/revoke", {"reason": "certificate_hold"}).status == 200
    third = operator.call("POST", "/v1/certificates", wish).json["certificate"]
    assert operator.call("POST", f"{other}/revoke", {"reason": "key_compromise"}).status == 200
    for asking, body in (
        ("/v1/certificates", wish),
        ("/v1/certificates", wish | {"name": "other", "dry_run": True}),
        (f"/v1/certificates/{third['serial_number']}/renew", {}),
    ):
        refused = operator.call("POST", asking, body)
        assert (refused.status, refused.json["code"]) == (403, "key.compromised"), refused.content


def test_a_ca_is_revoked_by_the_command_alone(service: Running) -> None:
    """Its certificate is none to be revoked like others; from the next request on it issues nothing."""
    assert counterseal(service.home, "ca", "add", "guests", "--purpose", "client").code == 0
    operator = Client(service, "operator")
    wish = {"profile": "client", "name": "trent", "issuer": "guests"}
    assert operator.call("POST", "/v1/credentials", wish).status == 201
    ca = x509.load_pem_x509_certificate(operator.call("GET", "/v1/cas/guests").json["certificate"].encode())
    for change, body in (("revoke", {"reason": "ca_compromise"}), ("unrevoke", None)):
        refused = operator.call("POST", f"/v1/certificates/{ca.serial_number:X}/{change}", body)
        assert (refused.status, refused.json["code"]) == (409, "revoke.ca")
        assert refused.json["hint"].endswith("counterseal ca revoke guests")
    assert counterseal(service.home, "ca", "revoke", "guests", "--yes").code == 0
    refused = operator.call("POST", "/v1/credentials", wish)
    assert (refused.status, refused.json["code"]) == (409, "ca.revoked")
    assert operator.call("GET", "/v1/cas/guests").json["ca"]["state"] == "revoked"


def test_a_rehearsed_revocation_changes_nothing(service: Running) -> None:
    """It says what the certificate would be, or why it cannot; no list is published."""
    operator = Client(service, "operator")
    made = operator.call("POST", "/v1/credentials", {"profile": "client", "name": "peggy"}).json["certificate"]
    path, before = f"/v1/certificates/{made['serial_number']}", operator.call("GET", "/v1/crls").json
    told = operator.call("POST", f"{path}/revoke", {"reason": "certificate_hold", "dry_run": True})
    assert (told.status, told.json["certificate"]["status"], told.json["in_force"]) == (200, "held", None)
    assert operator.call("POST", f"{path}/unrevoke?dry_run=true").json["code"] == "unrevoke.not_held"
    misplaced = operator.call("POST", f"{path}/unrevoke", {"dry_run": True})
    assert (misplaced.status, misplaced.json["code"]) == (400, "api.malformed")
    assert operator.call("GET", path).json["certificate"] == made
    assert operator.call("GET", "/v1/crls").json == before
    assert operator.call("POST", f"{path}/revoke", {"reason": "certificate_hold"}).json["in_force"]
    told = operator.call("POST", f"{path}/unrevoke?dry_run=true")
    assert (told.status, told.json["certificate"]) == (200, made)
    assert operator.call("GET", path).json["certificate"]["status"] == "held"
