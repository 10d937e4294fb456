"""Who may have an account, on which terms, and what may be authorized before there is an order."""

from __future__ import annotations

import json
import socket
import ssl
from contextlib import ExitStack
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from acme_client import Answered, Client
from acme_signing import ClientKey, b64, csr, external_binding
from command import counterseal
from counterseal.protocols.acme.renewal import CertificateName
from integration.acme.conftest import ENDLESS_HOUR, Lab, start_lab
from integration.acme.test_flow import authorized, issued, leaf
from integration.acme.test_restart import kill_and_start_again
from service_process import make_ca, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RULES = """
external_account_required = true
pre_authorization = true
max_identifiers = 3
terms_of_service = "https://ca.example.com/terms"
website = "https://ca.example.com"
"""


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Return a server with all of these rules."""
    with ExitStack() as stack:
        yield start_lab(stack, tmp_path_factory.mktemp("policy") / "home", RULES)


def external_key(lab: Lab, *options: str) -> tuple[str, str]:
    """Make an external key."""
    made = json.loads(counterseal(lab.service.home, "acme", "eab", "add", "team", "--json", *options).stdout)
    return made["external_key"]["id"], made["hmac_key"]


def test_the_directory_says_what_is_asked_for(strict: Lab) -> None:
    """RFC 8555 7.1.1."""
    client = strict.client(registered=False)
    meta = client.directory["meta"]
    assert (meta["externalAccountRequired"], meta["termsOfService"]) == (True, "https://ca.example.com/terms")
    assert "newAuthz" in client.directory
    client.close()


def test_terms_must_be_agreed_to(strict: Lab) -> None:
    """Else the answer says where they are (RFC 8555 7.3, 7.3.3)."""
    client = strict.client(registered=False)
    refused = client.register(eab=external_key(strict), termsOfServiceAgreed=False)
    assert refused.problem == "userActionRequired"
    assert refused.links("terms-of-service") == ["https://ca.example.com/terms"]
    client.close()


def test_who_agreed_to_other_terms_agrees_again(tmp_path: Path) -> None:
    """A person does, on the page that the refusal names; what was ordered before goes on (RFC 8555 7.3.3)."""
    old, new = "https://ca.example.com/terms", "https://ca.example.com/terms/2"
    with ExitStack() as stack:
        lab = start_lab(stack, tmp_path / "home", f'terms_of_service = "{old}"\nagree_to_new_terms = true')
        client = lab.client()
        stack.callback(client.close)
        before = client.order("www.example.com")
        assert before.status == 201
        settings = lab.service.home / "counterseal.toml"
        settings.write_text(settings.read_text().replace(old, new))
        client.close()
        kill_and_start_again(lab, stack)
        refused = client.order("www.example.com")
        assert (refused.status, refused.problem, refused.links("terms-of-service")) == (
            403,
            "userActionRequired",
            [new],
        )
        assert client.post(before.headers["location"]).json["status"] == "pending"
        assert client.post(client.kid or "", {"termsOfServiceAgreed": True}).status == 200  # RFC 8555 7.3.2: ignored
        assert client.order("www.example.com").problem == "userActionRequired"
        page = refused.json["instance"]
        assert client.fetch("POST", page[:-1]).status == 404
        shown = client.fetch("GET", page)
        assert (shown.status, new in shown.body.decode()) == (200, True)
        assert client.order("www.example.com").status == 403
        assert client.fetch("POST", page).status == 200
        assert client.order("www.example.com").status == 201
        path, _, code = urlsplit(page).path.rpartition("/")
        lab.service.logged("request", method="POST", path=f"{path}/...", status=200)
        assert not [line for line in lab.service.lines if code[:-1] in line], "who reads the log could agree"


class Behind(HTTPConnection):
    """Asks as nginx does on a Unix socket, for a client at this address."""

    def __init__(self, path: Path, address: str) -> None:
        super().__init__("localhost", timeout=30)
        self._path, self._address = path, address

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))

    def endheaders(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - as the class above has it
        """Add who the client is."""
        self.putheader("X-Real-IP", self._address)
        super().endheaders(*arguments, **named)


def test_new_accounts_of_one_network_are_limited_together(tmp_path: Path) -> None:
    """An IPv6 client has all addresses of its /64; its neighbours have others."""
    home, path = tmp_path / "home", tmp_path / "s"
    serve = '[serve]\npublic_url = "https://localhost"\ntrust_x_real_ip = true\n'
    make_ca(home, f"{serve}[acme]\naccounts_per_hour = 1\n")
    outcomes = []
    with running(home, "--listen", f"unix:{path}", program=("-c", ENDLESS_HOUR.format(more=""))):
        for address in (
            "2001:db8::1",
            "2001:db8::ffff:2",
            "2001:db8:0:1::1",
            "192.0.2.1",
            "::ffff:192.0.2.1",
            "192.0.2.2",
        ):
            context = ssl.create_default_context()
            client = Client("https://localhost/acme/directory", context, connection=Behind(path, address))
            answered = client.register()
            outcomes.append(answered.problem or answered.status)
            client.close()
    assert outcomes == [201, "rateLimited", 201, 201, "rateLimited", 201]


def test_a_ca_is_not_revoked_here_and_a_revoked_one_issues_nothing(tmp_path: Path) -> None:
    """Not even by whoever has its key, which is enough for any other certificate (RFC 8555 7.6)."""
    with ExitStack() as stack:
        lab = start_lab(stack, tmp_path / "home")
        client = lab.client()
        stack.callback(client.close)
        key = load_pem_private_key((lab.service.home / "keys" / "servers.key.pem").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        thief = Client(lab.directory, lab.context, ClientKey(key))
        stack.callback(thief.close)
        pem = json.loads(counterseal(lab.service.home, "ca", "export", "servers", "--json").stdout)["certificate"]
        shown = b64(x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER))
        refused = thief.post(thief.directory["revokeCert"], {"certificate": shown}, with_jwk=True)
        assert (refused.status, refused.problem) == (403, "unauthorized")
        early = leaf(issued(lab, client, "early.example.com"))
        issuer = early.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        name = CertificateName(issuer or b"", early.serial_number)
        order = authorized(lab, client, "late.example.com")
        assert counterseal(lab.service.home, "ca", "revoke", "servers", "--yes").code == 0
        done = client.finalize(order.json, csr("late.example.com"))
        assert (done.status, done.problem) == (503, "serverInternal")
        assert done.json["detail"].startswith("CA servers is revoked since ")
        window = client.fetch("GET", f"{client.directory['renewalInfo']}/{name}").json["suggestedWindow"]
        assert datetime.fromisoformat(window["end"]) <= datetime.now(UTC)  # with the CA, what it issued is revoked


def test_an_external_key_makes_one_account(strict: Lab) -> None:
    """Without one, with a wrong one, a used, a revoked or an expired one there is none."""
    client, second = strict.client(registered=False), strict.client(registered=False)
    assert client.register().problem == "externalAccountRequired"
    kid, mac_key = external_key(strict)
    assert client.register(eab=(kid, mac_key[:-2] + "AA")).problem == "unauthorized"
    assert client.register(eab=("nobody", mac_key)).problem == "unauthorized"
    url = client.directory["newAccount"]
    sent = external_binding(kid, mac_key, client.key, url)
    made = client.register(externalAccountBinding=sent)
    found = client.post(url, {"onlyReturnExisting": True}, with_jwk=True)
    shown_again = [one.json.get("externalAccountBinding") for one in (made, found, client.post(client.kid or ""))]
    assert (made.status, shown_again) == (201, [sent] * 3)  # RFC 8555 7.3.4
    assert second.register(eab=(kid, mac_key)).problem == "unauthorized"
    revoked = external_key(strict, "--reusable")
    assert counterseal(strict.service.home, "acme", "eab", "revoke", revoked[0]).code == 0
    assert second.register(eab=revoked).problem == "unauthorized"
    assert second.register(eab=external_key(strict, "--reusable", "--expires", "0s")).problem == "unauthorized"
    listed = json.loads(counterseal(strict.service.home, "acme", "eab", "list", "--json").stdout)
    assert mac_key not in json.dumps(listed)
    shown = json.loads(counterseal(strict.service.home, "acme", "accounts", "--json").stdout)
    assert [one["external_key"] for one in shown["accounts"]] == [kid]
    client.close()
    second.close()


def test_a_name_can_be_authorized_before_there_is_an_order(strict: Lab) -> None:
    """The order is ready at once then; a wildcard cannot be (RFC 8555 7.4.1)."""
    client = strict.client(registered=False)
    client.register(eab=external_key(strict))
    url = client.directory["newAuthz"]
    assert client.post(url, {"identifier": {"type": "dns", "value": "*.early.example.com"}}).problem == "malformed"
    made = client.post(url, {"identifier": {"type": "dns", "value": "early.example.com"}})
    assert (made.status, made.json["status"]) == (201, "pending")
    (challenge,) = [one for one in made.json["challenges"] if one["type"] == "http-01"]
    strict.web.put(challenge["token"], f"{challenge['token']}.{client.key.thumbprint}")
    client.post(challenge["url"], {})
    client.wait(made.headers["location"], "valid")
    order = client.order("early.example.com")
    assert order.json["status"] == "ready"
    assert client.finalize(order.json, csr("early.example.com")).json["status"] == "valid"
    client.close()


def test_a_name_is_authorized_beforehand_as_it_is_ordered(tmp_path: Path) -> None:
    """Within the same limit, and only if some profile on offer may have it."""
    narrow = '[profiles.narrow]\nextends = "server"\npermitted_domains = ["usual.example"]'
    rules = f"pre_authorization = true\norders_per_hour = 3\n{narrow}"
    with ExitStack() as stack:
        lab = start_lab(stack, tmp_path / "home", rules)
        settings = lab.service.home / "counterseal.toml"
        settings.write_text(settings.read_text().replace('["server", "short"]', '["narrow", "short"]'))
        kill_and_start_again(lab, stack, program=("-c", ENDLESS_HOUR.format(more="")))
        client = lab.client()
        stack.callback(client.close)
        ahead = client.directory["newAuthz"]

        def authorize(name: str) -> Answered:
            return client.post(ahead, {"identifier": {"type": "dns", "value": name}})

        refused = authorize("elsewhere.example.org")
        assert (refused.status, refused.problem) == (400, client.order("elsewhere.example.org").problem)
        assert refused.problem == "rejectedIdentifier"
        assert [authorize(name).status for name in ("a.usual.example", "b.example.com")] == [
            201,
            201,
        ]  # the other has it
        assert client.order("a.usual.example").status == 201
        limited = authorize("c.usual.example")
        assert (limited.status, limited.problem) == (429, "rateLimited")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('chalenges = ["http-01"]', "did you mean 'challenges'?"),
        ('challenges = ["http-02"]', "not a value for challenges: 'http-02'"),
        ("challenges = []", "challenges must name at least one"),
        ('profiles = ["servr"]', "not a value for profiles: 'servr'"),
        ('profiles = ["server-probe"]', "not a value for profiles: 'server-probe'"),
        ('allow_networks = ["10.0.0.1/8"]', "not a network in allow_networks"),
        ("http_port = 0", "not a port for http_port: 0"),
        ("orders_per_hour = -1", "orders_per_hour is negative: -1"),
        ('order_lifetime = "soon"', "not a length of time: 'soon'"),
        ("attempts = 9", "attempts"),
    ],
)
def test_a_wrong_rule_is_named(strict: Lab, line: str, said: str) -> None:
    """Before anything is served."""
    path = strict.service.home / "counterseal.toml"
    before = path.read_text()
    path.write_text(f"[acme]\n{line}\n")
    try:
        ran = counterseal(strict.service.home, "serve", "--listen", "127.0.0.1:0")
    finally:
        path.write_text(before)
    assert (ran.code, said in ran.stderr) == (2, True), ran.stderr


def test_an_order_has_no_more_names_than_the_rules_say(strict: Lab) -> None:
    """Else every one of them would be tried."""
    client = strict.client(registered=False)
    client.register(eab=external_key(strict))
    refused = client.order(*(f"h{number}.example.com" for number in range(4)))
    client.close()
    assert (refused.problem, refused.json["detail"]) == ("malformed", "more than 3 identifiers: 4")
