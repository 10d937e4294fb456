"""A stop finishes what it began, also where the database went away just before it (PostgreSQL)."""

from __future__ import annotations

import json
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

import dying
from acme_signing import csr
from command import counterseal
from counterseal.service.transacting import PATIENCE_SECONDS
from integration.acme.conftest import Lab, start_lab
from postgresql_process import Cluster
from service_process import SECONDS, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acme_client import Answered, Client

pytestmark = pytest.mark.slow
NAME = "last.example.com"


@pytest.fixture(scope="module")
def database() -> Iterator[Cluster]:
    """Return a PostgreSQL of this module's own, to be stopped and started, where its server can reach it."""
    with tempfile.TemporaryDirectory(prefix="cs-") as base:
        Path(base).chmod(0o711)
        made = Cluster(Path(base) / "pg", durable=True)
        yield made
        made.stop("immediate")


@pytest.mark.parametrize("number", [1, 2])
def test_an_order_is_finished_after_the_order_to_stop(tmp_path: Path, database: Cluster, number: int) -> None:
    """Signed and not recorded, the database gone, SIGTERM: once the database is back, the client has its certificate.

    The first certificate of a service is two transactions, the second one, with a number reserved ahead, is one.
    """
    with ExitStack() as stack:
        store = f'[store]\nurl = "{database.create()}"\n'
        frozen = ("counterseal.protocols.acme.issuing", "complete_order", f"{number}:SIGSTOP")
        lab = start_lab(stack, tmp_path / "home", store, dying=frozen)
        client = lab.client()
        for _ in range(1, number):
            other = ready(lab, client, "first.example.com")
            assert client.finalize(other.json, csr("first.example.com")).json["status"] == "valid"
        order = ready(lab, client, NAME)
        threads, began = stack.enter_context(ThreadPoolExecutor(1)), time.monotonic()
        answer = threads.submit(client.finalize, order.json, csr(NAME))
        dying.wait_until_frozen(lab.service.process.pid)
        database.stop()
        lab.service.process.terminate()
        lab.service.process.send_signal(signal.SIGCONT)
        lab.service.logged("stopping")
        database.start()
        answered, took = answer.result(2 * SECONDS), time.monotonic() - began
        assert lab.service.process.wait(SECONDS) == 0
        client.close()
        if answered.status == 503:  # a machine on which a database takes that long to start
            assert took > PATIENCE_SECONDS, "it gave up although the database was soon back"
            again = stack.enter_context(running(tmp_path / "home", "--listen", urlsplit(lab.service.url).netloc))
            if number == 1:
                answered = client.wait(order.headers["location"], "valid", "invalid", seconds=4 * SECONDS)
                again.logged("order taken up")
            else:  # its one transaction was undone, with all that it did
                assert client.wait(order.headers["location"], "ready", "valid").json["status"] == "ready"
                answered = client.finalize(order.json, csr(NAME))
            client.close()
        assert answered.json["status"] == "valid"
        listed = json.loads(counterseal(tmp_path / "home", "list", "--name", NAME, "--json").stdout)
        assert len(listed["certificates"]) == 1
        assert "intact" in counterseal(tmp_path / "home", "log", "verify").stdout


def ready(lab: Lab, client: Client, name: str) -> Answered:
    """Order a certificate and answer the challenge."""
    order = client.order(name)
    challenge, proof = client.challenge(order, "http-01")
    lab.web.put(challenge["token"], proof)
    client.post(challenge["url"], {})
    return client.wait(order.headers["location"], "ready")
