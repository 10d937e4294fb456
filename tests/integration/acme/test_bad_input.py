"""Whatever comes in, the answer is a 4xx with a problem document; nothing sticks, and the service goes on."""

from __future__ import annotations

import json
import random
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from acme_answers import acme_certificate, of_unknown_version
from acme_signing import ClientKey, b64, csr, jws
from counterseal.service.body import BODY_SECONDS
from counterseal.service.connection import HEAD_SECONDS
from whole_answers import read_to_end

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

    from acme_client import Client
    from integration.acme.conftest import Lab

SEED = 20_261_126
ROUNDS = 400
JUNK: list[Any] = [
    None, True, 0, -1, 1e300, "", "x", "\x00", "é" * 10, "A" * 5_000, [], [[]], [None], {}, {"a": {}}, "e30", 2**70,
    "dns", {"type": "dns"}, {"type": "dns", "value": "a.example.com"}, [{"type": "dns", "value": "\ud800"}],
]  # fmt: skip


@pytest.fixture
def client(lab: Lab) -> Iterator[Client]:
    """Return a client with an account."""
    client = lab.client()
    yield client
    client.close()


def endpoints(client: Client) -> list[tuple[str, dict[str, Any]]]:
    """Return the URL of every resource that takes a POST, with a good payload."""
    order = client.order("fuzz.example.com")
    authorization = client.post(order.json["authorizations"][0])
    new = client.directory
    identifiers = [{"type": "dns", "value": "fuzz.example.com"}]
    good = {"identifiers": identifiers, "notAfter": "2026-12-24T00:00:00Z", "profile": "server", "replaces": "AAAA.AA"}
    return [
        (new["newAccount"], {"contact": ["mailto:a@b.example"], "externalAccountBinding": {}}),
        (new["newOrder"], good),
        (new["keyChange"], jws(ClientKey(), {"account": client.kid, "oldKey": client.key.jwk}, url=new["keyChange"])),
        (new["revokeCert"], {"certificate": b64(csr("a.example.com")), "reason": 1}),
        (client.kid or "", {"contact": [], "status": "valid"}),
        (f"{client.kid}/orders", {}),
        (order.headers["location"], {}),
        (order.json["finalize"], {"csr": b64(csr("fuzz.example.com"))}),
        (order.json["authorizations"][0], {"status": "valid"}),
        (authorization.json["challenges"][0]["url"], {}),
        (f"{order.json['finalize']}/x", {}),
    ]


def mutated(payload: dict[str, Any], chance: random.Random) -> object:
    """Return the payload with a member or two replaced, added, removed, or something else altogether."""
    if chance.random() < 0.1:
        return chance.choice(JUNK)
    changed = dict(payload)
    for _ in range(chance.randint(1, 2)):
        name = chance.choice([*payload, "x", "status", "csr", "identifiers"])
        if chance.random() < 0.2:
            changed.pop(name, None)
        else:
            changed[name] = chance.choice(JUNK)
    return changed


def damaged(body: bytes, chance: random.Random) -> bytes:
    """Return the octets with some of them changed, cut or doubled."""
    octets = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(octets))
        match chance.randrange(4):
            case 0:
                octets[place] = chance.randrange(256)
            case 1:
                del octets[place : place + chance.randint(1, 30)]
            case 2:
                octets[place:place] = octets[place : place + 20]
            case _:
                octets += bytes([chance.randrange(256)])
        if not octets:
            octets = bytearray(b"x")
    return bytes(octets)


def test_signed_nonsense_at_every_resource(client: Client) -> None:
    """Good signatures over payloads that make no sense: never a 5xx, always a type of the RFC."""
    chance = random.Random(SEED)  # noqa: S311 - to be the same every time
    resources = endpoints(client)
    seen: dict[int, int] = {}
    for _ in range(ROUNDS):
        url, payload = chance.choice(resources)
        answered = client.post(url, mutated(payload, chance), with_jwk=chance.random() < 0.2)
        seen[answered.status] = seen.get(answered.status, 0) + 1
        assert answered.status < 500, (url, answered.body)
        assert answered.status < 400 or answered.problem, (url, answered.status, answered.body)
        if client.post(client.kid or "").status != 200:  # it deactivated itself, as it may
            pytest.fail("no mutation says deactivated")
    assert seen.get(400, 0) > ROUNDS / 4


def test_damaged_requests_at_every_resource(client: Client) -> None:
    """Octets changed in good requests: the form or the signature is wrong."""
    chance = random.Random(SEED)  # noqa: S311 - to be the same every time
    resources = endpoints(client)
    for _ in range(ROUNDS):
        url, payload = chance.choice(resources)
        good = json.dumps(client.sign(url, payload)).encode()
        answered = client.send(url, damaged(good, chance))
        assert answered.status < 500, (url, answered.body)
        assert answered.status < 400 or answered.problem


@pytest.mark.parametrize(
    "content", [b"\x30\x84\xff\xff\xff\xff", b"\x30" * 5_000, b"\x30\x80" + b"\x00" * 50, b"\x30\x00"]
)
def test_der_that_makes_no_sense(client: Client, content: bytes) -> None:
    """Lengths without end, depth, indefinite forms: as CSR and as certificate."""
    order = client.order("der.example.com")
    assert client.post(order.json["finalize"], {"csr": b64(content)}).status in {400, 403}
    assert client.post(client.directory["revokeCert"], {"certificate": b64(content)}).problem == "malformed"


def test_a_certificate_of_an_unknown_version(client: Client, tmp_path: Path) -> None:
    """The library has an error of its own for it."""
    pem = acme_certificate(["der.example.com"], "", tmp_path).read_bytes()
    known = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    for content, status in ((known, 404), (of_unknown_version(known), 400)):
        refused = client.post(client.directory["revokeCert"], {"certificate": b64(content)})
        assert (refused.status, refused.problem) == (status, "malformed"), refused.body


@pytest.mark.parametrize(
    "path",
    [
        "order/%00", "order/" + "a" * 3_000, "order/..%2f..%2fetc", "account/", "certificate/x/99999999999999999999",
        "challenge/x/y/z", "renewal-info/%ff", "renewal-info/" + "A" * 5_000 + "." + "A" * 5_000,
        "account/x/orders?after=%00.x",
    ],
)  # fmt: skip
def test_strange_paths(lab: Lab, client: Client, path: str) -> None:
    """They lead nowhere."""
    url = f"{lab.service.url}/acme/{path}"
    for answered in (client.fetch("GET", url), client.post(url)):
        assert 400 <= answered.status < 500
        assert answered.problem


def opened(lab: Lab) -> ssl.SSLSocket:
    """Return a TLS connection to the service."""
    parts = urlsplit(lab.service.url)
    plain = socket.create_connection((parts.hostname, parts.port), timeout=60)
    return lab.context.wrap_socket(plain, server_hostname=parts.hostname)


HEAD = b"POST /acme/new-order HTTP/1.1\r\nHost: x\r\nContent-Type: application/jose+json\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        HEAD + b"Content-Length: 99999999999\r\n\r\n{",
        HEAD
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"10000\r\n"
        + b"x" * 65_536
        + b"\r\n10000\r\n"
        + b"x" * 65_536
        + b"\r\n1\r\nx\r\n",
    ],
    ids=["declared", "chunked"],
)
def test_a_body_without_end_is_cut_off(lab: Lab, sent: bytes) -> None:
    """413 as soon as it is known to be too large, and the connection is closed."""
    with opened(lab) as tls:
        tls.sendall(sent)
        answer = read_to_end(tls)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"urn:ietf:params:acme:error:malformed" in answer


@pytest.mark.slow
def test_slow_clients_are_cut_off_and_hold_up_nobody(lab: Lab, client: Client) -> None:
    """Hundreds that send a head or a body octet by octet: others are served meanwhile, and they end."""
    slow = []
    for number in range(200):
        slow.append(opened(lab))  # whose time begins now
        slow[-1].sendall(HEAD[:40] if number % 2 else HEAD + b"Content-Length: 10\r\n\r\n{")
    began = time.monotonic()
    assert client.order("meanwhile.example.com").status == 201
    assert time.monotonic() - began < HEAD_SECONDS
    for number, tls in enumerate(slow):
        tls.settimeout(HEAD_SECONDS + BODY_SECONDS)
        answer = read_to_end(tls)
        assert answer == b"" if number % 2 else answer.startswith(b"HTTP/1.1 408 ")
        tls.close()
    assert client.order("afterwards.example.com").status == 201


def test_the_service_is_well_after_all_this(lab: Lab) -> None:
    """And has logged no failure."""
    assert lab.service.request("GET", "/healthz")[0].status == 200
    assert [line for line in lab.service.log if line["event"] in {"failure", "validation broke"}] == []
    assert not [line for line in lab.service.lines if "Traceback" in line]
