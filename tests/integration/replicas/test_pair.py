"""Two replicas on one database: a one-time token is used once, and a revocation counts at both at once."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import ocsp
from more_replicas import start_replicas

from api_client import CONFIGURATION, Client, make_api
from command import counterseal
from counterseal.service.announced import HEARD_SECONDS
from integration.serve.test_est import Device, post, token
from integration.serve.test_ocsp import GOOD, REVOKED, request_of
from postgresql_process import cluster
from service_process import SECONDS, Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

TIMES = 5


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Running]]:
    """Return two services of one CA, which has a second one for clients."""
    home = tmp_path_factory.mktemp("pair") / "home"
    make_api(home, f'{CONFIGURATION}\n[store]\nurl = "{cluster().create()}"\n', ["operator"])
    assert counterseal(home, "ca", "add", "lent", "--purpose", "client", "--no-passphrase").code == 0
    with ExitStack() as stack:
        first = stack.enter_context(running(home))
        (second,) = start_replicas(stack, home, 1)
        (second.home / "root.pem").symlink_to(first.root)
        yield [first, second]


def test_of_many_at_both_one_gets_the_certificate(pair: list[Running], tmp_path: Path) -> None:
    """Each with a key of its own; the one that was first gets it again at the other replica, too."""
    secret, places = token(pair[0], "valve"), [pair[number % 2] for number in range(8)]
    devices = [Device.new(tmp_path / str(number)) for number in range(len(places))]

    def ask(place: Running, device: Device) -> tuple[int, bytes]:
        return post(place, "simpleenroll", device.request(), secret=secret)[:2]

    with ThreadPoolExecutor(len(places)) as pool:
        answers = list(pool.map(ask, places, devices))
    assert sorted(status for status, _ in answers) == [200, *[401] * 7]
    assert {body.partition(b":")[0] for status, body in answers if status == 401} == {b"the token is used up"}
    (winner,) = (number for number, (status, _) in enumerate(answers) if status == 200)
    issued = devices[winner].keep(answers[winner][1])
    for place in pair:
        status, body = ask(place, devices[winner])
        assert (status, devices[winner].keep(body)) == (200, issued)


def test_a_revocation_counts_at_both(pair: list[Running]) -> None:
    """For every question that is asked more than half a second after the request to revoke has returned, at the latest.

    So long a replica may believe that it hears what is announced when it does not, as told by its own clock.
    """
    ca = x509.load_der_x509_certificate(pair[0].request("GET", "/ca/clients.crt")[1])
    operator = Client(pair[0], "operator")
    for number in range(TIMES):
        made = operator.call("POST", "/v1/credentials", {"profile": "client", "name": f"leaver{number}"})
        serial = made.json["certificate"]["serial_number"]
        question = request_of(int(serial, 16), ca, SHA256())
        for place in pair:
            _ask_until_kept(place, question)
        assert operator.call("POST", f"/v1/certificates/{serial}/revoke", {}).status == 200
        returned = time.monotonic()
        for place in pair:
            asked = time.monotonic()
            while _ask(place, question).certificate_status is not REVOKED:
                assert asked < returned + HEARD_SECONDS, "a replica still says good"
                asked = time.monotonic()


def test_a_revoked_ca_takes_all_along_at_both(pair: list[Running]) -> None:
    """As soon as a revocation of its own would count; a number that nobody knows is revoked as well."""
    home = pair[0].home
    made = counterseal(home, "client", "lena", "--issuer", "lent", "--no-p12", "--out", str(home / "out"), "--json")
    serial = int(json.loads(made.stdout)["certificate"]["serial_number"], 16)
    ca = x509.load_der_x509_certificate(pair[0].request("GET", "/ca/lent.crt")[1])
    for place in pair:
        _ask_until_kept(place, request_of(serial, ca, SHA256()), "lent")
    assert counterseal(home, "ca", "revoke", "lent", "--reason", "key_compromise", "--yes", "--no-deploy").code == 0
    returned = time.monotonic()
    for place in pair:
        for number in (serial, 1 << 140):
            asked = time.monotonic()
            while _ask(place, request_of(number, ca, SHA256()), "lent").certificate_status is not REVOKED:
                assert asked < returned + HEARD_SECONDS, "a replica does not say revoked"
                asked = time.monotonic()


def _ask(place: Running, question: bytes, ca: str = "clients") -> ocsp.OCSPResponse:
    return ocsp.load_der_ocsp_response(place.request("POST", f"/ocsp/{ca}", question)[1])


def _ask_until_kept(place: Running, question: bytes, ca: str = "clients") -> None:
    """Ask until the answer comes from memory, the short way: what went the usual way has an id for the log."""
    deadline = time.monotonic() + SECONDS
    while True:
        response, content = place.request("POST", f"/ocsp/{ca}", question)
        assert ocsp.load_der_ocsp_response(content).certificate_status is GOOD
        if response.headers["X-Request-Id"] is None:
            return
        assert time.monotonic() < deadline, "no answer is kept"
