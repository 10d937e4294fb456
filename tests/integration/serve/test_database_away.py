"""OCSP, lists and CA certificates while the database is stopped or silent: soon an answer, and never a guess."""

from __future__ import annotations

import json
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import ocsp

from api_client import CONFIGURATION, Client, make_api, make_client
from command import counterseal
from counterseal.compose.serve import GRACE_SECONDS
from counterseal.service.access import THREADS
from counterseal.service.announced import HEARD_SECONDS
from counterseal.service.shared_access import RECALL_SECONDS
from counterseal.service.transacting import PATIENCE_SECONDS
from integration.serve.test_ocsp import GOOD, REVOKED, request_of
from postgresql_process import Cluster, cluster
from service_process import SECONDS, Running, make_ca, running

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

CROWD = 48
"""So many more than there are connections that read, that to wait for one after the other is seen."""

TOLD = {"failure", "not listening to the database", "upkeep failed"}
"""What the log says in errors; that nobody wanted to know the end of a job is none."""

WISH = {"profile": "client", "name": "dora"}
AWAY = (503, "store.unreachable", "2")
ESTABLISHED = "01"
"""The state of a connection in /proc/net/tcp."""


@pytest.fixture
def database() -> Iterator[Cluster]:
    """Return a PostgreSQL of the test's own, which it may stop."""
    with tempfile.TemporaryDirectory(prefix="cs-") as directory:
        Path(directory).chmod(0o711)
        own = Cluster(Path(directory) / "p")
        yield own
        own.stop("immediate")


@pytest.mark.parametrize("silent", [False, True])
def test_what_is_answered_without_a_database(tmp_path: Path, database: Cluster, *, silent: bool) -> None:
    """Nobody waits for long: what may have changed is 503, what cannot is said as before; a hold can."""
    home = tmp_path / "home"
    with ExitStack() as stack:
        make_ca(home, f'[store]\nurl = "{database.create()}"\n')
        serials = {
            name: int(make_client(home, name)["certificate"]["serial_number"], 16) for name in ("ann", "bo", "cy")
        }
        assert counterseal(home, "revoke", "bo").code == 0
        assert counterseal(home, "revoke", "cy", "--reason", "certificate_hold").code == 0
        service = stack.enter_context(running(home))
        ca = x509.load_der_x509_certificate(service.request("GET", "/ca/clients.crt")[1])
        questions = {name: request_of(serial, ca, SHA256()) for name, serial in serials.items()}
        said = {name: standing(service, question) for name, question in questions.items()}
        assert said == {"ann": GOOD, "bo": REVOKED, "cy": REVOKED}
        if silent:
            database.send(signal.SIGSTOP)
            stack.callback(database.send, signal.SIGCONT)
        else:
            database.stop("immediate")
        time.sleep(HEARD_SECONDS)  # so long it counts
        began = time.monotonic()
        assert refused(service, "POST", "/ocsp", questions["ann"]) == AWAY
        assert time.monotonic() - began < PATIENCE_SECONDS  # of whoever waits for a write
        assert refused(service, "POST", "/ocsp", questions["cy"]) == AWAY
        assert standing(service, questions["bo"]) is REVOKED
        assert refused(service, "GET", "/crl/clients.crl") == AWAY
        for certificate in ("clients.crt", "servers.crt", "root.pem"):  # of which two were never asked for
            assert service.request("GET", f"/ca/{certificate}")[0].status == 200
        began = time.monotonic()
        with ThreadPoolExecutor(CROWD) as pool:
            asked = [pool.submit(refused, service, "POST", "/ocsp", questions["ann"]) for _ in range(CROWD)]
        assert [one.result() for one in asked] == [AWAY] * CROWD
        assert time.monotonic() - began < PATIENCE_SECONDS < CROWD / THREADS * RECALL_SECONDS  # nobody waits in turn
        if silent:
            database.send(signal.SIGCONT)
        else:
            database.start()
        deadline = time.monotonic() + SECONDS
        while service.request("POST", "/ocsp", questions["ann"])[0].status == 503:
            assert time.monotonic() < deadline
        assert {name: standing(service, question) for name, question in questions.items()} == said
        assert {line["event"] for line in service.log if line["level"] == "error"} <= TOLD


@pytest.mark.parametrize("silent", [False, True])
def test_a_stop_does_not_wait_for_the_database(tmp_path: Path, database: Cluster, *, silent: bool) -> None:
    """Who is being answered is told to come again; the service ends well before systemd would kill it."""
    home = tmp_path / "home"
    with ExitStack() as stack:
        make_api(home, CONFIGURATION + f'[store]\nurl = "{database.create()}"\n', ["operator"])
        service = stack.enter_context(running(home))
        operator = Client(service, "operator")
        assert operator.call("POST", "/v1/credentials", WISH).status == 201
        if silent:
            database.send(signal.SIGSTOP)
            stack.callback(database.send, signal.SIGCONT)
        else:
            database.stop("immediate")
            stack.callback(database.start)
        asked = [stack.enter_context(closing(operator.connect())) for _ in range(CROWD)]
        for one in asked:
            one.request("POST", "/v1/credentials", json.dumps(WISH), {"Content-Type": "application/json"})
        wait_until_read(service, CROWD)
        began = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - began < GRACE_SECONDS
        assert {one.getresponse().status for one in asked} == {503}
        assert {line["event"] for line in service.log if line["level"] == "error"} <= TOLD


def test_a_list_that_the_database_did_not_take_is_in_the_log(tmp_path: Path) -> None:
    """The database goes away between its signature and its recording, for this connection."""
    home = tmp_path / "home"
    database = cluster()
    url = database.create()
    make_api(home, CONFIGURATION + f'[store]\nurl = "{url}"\n', ["admin"])
    with running(home) as service:
        name = urlsplit(url).path.strip("/")
        database.sql(
            "create function gone() returns trigger language plpgsql as"
            " 'begin perform pg_terminate_backend(pg_backend_pid()); return new; end'",
            name,
        )
        for table in ("crl", "key_use"):
            database.sql(f"create trigger gone before insert on {table} execute function gone()", name)
        answer = Client(service, "admin").call("POST", "/v1/crls", {"only": ["clients"]})
        assert (answer.status, answer.json["code"]) == (503, "store.unreachable")
        told = service.logged("signed, and recorded nowhere", ca="clients", code="store.unreachable")
        assert told["action"].startswith("crl ")
        assert len(told["sha256"]) == 64
    database.drop(url)


def wait_until_read(service: Running, connections: int) -> None:
    """Wait until the service has read all that came on so many connections; what is answered then waits in it."""
    port, deadline = f":{urlsplit(service.url).port:04X}", time.monotonic() + SECONDS
    while True:
        sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        queues = [one[4] for one in sockets if one[1].endswith(port) and one[3] == ESTABLISHED]
        if len(queues) >= connections and all(one.endswith(":00000000") for one in queues):
            return
        assert time.monotonic() < deadline, queues


def standing(service: Running, question: bytes) -> ocsp.OCSPCertStatus:
    """Return what the service says of the certificate."""
    response, content = service.request("POST", "/ocsp", question)
    assert response.status == 200
    return ocsp.load_der_ocsp_response(content).certificate_status


def refused(service: Running, method: str, path: str, body: bytes | None = None) -> tuple[int, str, str | None]:
    """Return the status and the code of a refusal, and when to come again."""
    response, content = service.request(method, path, body)
    return response.status, json.loads(content)["code"], response.headers["Retry-After"]
