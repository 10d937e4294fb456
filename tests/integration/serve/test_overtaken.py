"""A replica that falls asleep over its work, and wakes up when another one has taken it over: it undoes its own."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

import dying
from acme_signing import csr
from api_client import CONFIGURATION, Client, make_api
from command import counterseal
from counterseal.store.acme.orders import change_order
from counterseal.store.api_answers import Asked, begin_answer
from counterseal.store.postgresql import open_store
from integration.acme.conftest import start_lab
from integration.acme.test_stopping import ready
from postgresql_process import cluster
from service_process import Running, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from counterseal.store.store import Store

pytestmark = pytest.mark.slow

BEFORE_SIGNING = ("counterseal.service.issuing", "sign", "1:SIGSTOP")
"""For the first certificate of a CA: the key, or the order, is stored as being worked on by then, and not locked."""


@pytest.fixture
def url() -> Iterator[str]:
    """Return the URL of a new database."""
    made = cluster().create()
    yield made
    cluster().drop(made)


def overtake(service: Running, url: str, change: Callable[[Store], bool]) -> None:
    """Change something in the store once the service is frozen, and let it go on."""
    dying.wait_until_frozen(service.process.pid)
    try:
        with open_store(url) as store:
            assert change(store)
    finally:
        os.kill(service.process.pid, signal.SIGCONT)


def test_an_idempotency_key(tmp_path: Path, url: str) -> None:
    """The certificate that was signed for it is not recorded, and the key is the other one's."""
    home = tmp_path / "home"
    make_api(home, f'{CONFIGURATION}[store]\nurl = "{url}"\n', ["operator"])
    body = b'{"profile": "client", "name": "judy", "packing": {"format": "pem"}}'
    request, key = sha256(b"POST\n/v1/credentials\n" + body).digest(), sha256(b"mine").digest()
    with running(home, dying=BEFORE_SIGNING) as service, ThreadPoolExecutor(1) as thread:
        operator = Client(service, "operator")
        (own,) = operator.call("GET", "/v1/certificates?name=operator").json["certificates"]
        asked = Asked(f"clients\noperator\n{own['subject']}", key, request)
        answer = thread.submit(operator.call, "POST", "/v1/credentials", body, {"Idempotency-Key": "mine"})
        later = int(time.time()) + 3600
        overtake(service, url, lambda store: begin_answer(store, asked, b"2", later, abandoned_before=later))
        lost = answer.result()
        assert (lost.status, lost.json["code"]) == (500, "idempotency.lost")
        assert operator.call("GET", "/v1/certificates?name=judy").json["certificates"] == []
    assert counterseal(home, "log", "verify").code == 0


def test_an_order(tmp_path: Path, url: str) -> None:
    """The same with ACME: who was given up for dead may not end the order in another way than it ended."""
    with ExitStack() as stack:
        lab = start_lab(stack, tmp_path / "home", f'[store]\nurl = "{url}"\n', dying=BEFORE_SIGNING)
        client = lab.client()
        stack.callback(client.close)
        order = ready(lab, client, "www.example.com")
        identifier = order.headers["location"].rpartition("/")[2]
        thread = stack.enter_context(ThreadPoolExecutor(1))
        answer = thread.submit(client.finalize, order.json, csr("www.example.com"))
        overtake(lab.service, url, lambda store: change_order(store, identifier, was="processing", status="invalid"))
        assert answer.result().status == 500
        assert lab.service.logged("request", method="POST", status=500)["problem"] == "acme.order_lost"
        assert client.post(order.headers["location"]).json["status"] == "invalid"
    assert '"certificates": []' in counterseal(tmp_path / "home", "list", "--name", "www", "--json").stdout
