"""Any of it may die while clients order, and nothing is lost, issued twice or numbered twice."""

from __future__ import annotations

import signal
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import ocsp

from command import counterseal
from counterseal.pki.shown import show_serial
from counterseal.service.announced import HEARD_SECONDS
from integration.serve.test_ocsp import GOOD, REVOKED, request_of
from replicas import CLIENTS, PATIENCE, REPLICAS, Lab, replicas, under_load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service_process import Running

pytestmark = [pytest.mark.slow, pytest.mark.nginx]
FROZEN_SECONDS = 2.0
LISTENING = "select count(*) from pg_stat_activity where query like 'select pg_is_in_recov%'"
BEFORE_SIGNING = ("counterseal.authority.signing", "Prepared.sign", 1)
"""The first of a process, which has reserved no numbers ahead yet: the order is stored as being signed by then."""
ORDERS = 4
"""So many certificates after each blow, or it was not survived."""


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Return the laboratory, in a directory whose name is short enough for sockets and that the server can reach."""
    with tempfile.TemporaryDirectory(prefix="cs-") as base:
        Path(base).chmod(0o711)
        with replicas(Path(base)) as made:
            yield made


def test_nothing_is_lost_whatever_dies(lab: Lab) -> None:
    """Replicas are killed, the database restarted, crashed, frozen, and at last replaced by its standby."""
    with under_load(lab):
        lab.work(ORDERS)
        for number in range(REPLICAS):
            _kill(lab, number)
            if number == 1:
                lab.replicas[number] = lab.start(number, BEFORE_SIGNING)
                assert lab.replicas[number].process.wait(PATIENCE) == -signal.SIGKILL
            lab.work(ORDERS)
            lab.replicas[number] = lab.start(number)
        _revoke(lab, lab.load.chains[0])
        with _felt(lab):
            lab.primary.restart("fast")
        with _felt(lab):
            lab.primary.restart("immediate")
        _freeze(lab)
        with _felt(lab):
            lab.primary.stop("immediate")
            lab.standby.promote()
    assert lab.load.by_lego
    _settle(lab)
    assert [replica.stop() for replica in lab.replicas] == [0, 0, 0]
    _check(lab)
    assert not [line for one in lab.replicas for line in one.log if "code" in line and line["code"] == "log.anchor"]


def _requests(replica: Running) -> list[dict[str, Any]]:
    return [line for line in replica.log if line["event"] == "request"]


def _kill(lab: Lab, number: int) -> None:
    """Kill a replica that is serving: it has just answered one more request."""
    replica, deadline = lab.replicas[number], time.monotonic() + PATIENCE
    answered = len(_requests(replica))
    while len(_requests(replica)) == answered:
        assert time.monotonic() < deadline, f"replica {number} serves nobody"
        time.sleep(0.01)
    replica.process.kill()
    assert replica.process.wait(30) == -signal.SIGKILL


@contextmanager
def _felt(lab: Lab) -> Iterator[None]:
    """Deal the database a blow in the block: every replica notices, and the clients go on."""

    def noticed() -> list[int]:
        return [[line["event"] for line in one.log].count("not listening to the database") for one in lab.replicas]

    _await_listening(lab)  # who does not yet hear again from the last one cannot notice another
    before, deadline = noticed(), time.monotonic() + PATIENCE
    yield
    while any(now == then for now, then in zip(noticed(), before, strict=True)):
        assert time.monotonic() < deadline, (before, noticed())
        time.sleep(0.05)
    lab.work(ORDERS)


def _await_listening(lab: Lab) -> None:
    """Wait until every replica has a connection on which it hears what is announced."""
    deadline = time.monotonic() + PATIENCE
    while lab.primary.sql(LISTENING) != [(REPLICAS,)]:
        assert time.monotonic() < deadline, "a replica does not listen to the database"
        time.sleep(0.05)


def _revoke(lab: Lab, chain: bytes) -> None:
    """Revoke what every replica has answered as good, when their listening connections have just been ended."""
    subject, ca = x509.load_pem_x509_certificates(chain)[:2]
    question = request_of(subject.serial_number, ca, SHA256())

    def answers() -> list[ocsp.OCSPCertStatus]:
        asked = [lab.ask(number, "/ocsp/servers", question) for number in range(REPLICAS)]
        return [ocsp.load_der_ocsp_response(one).certificate_status for one in asked]

    assert [answers() for _ in range(3)] == [[GOOD] * REPLICAS] * 3
    lab.primary.sql("select pg_terminate_backend(pid) from pg_stat_activity where query like 'select pg_is_in_recov%'")
    assert counterseal(lab.homes[0], "revoke", show_serial(subject.serial_number)).code == 0
    returned = time.monotonic()
    while (asked := time.monotonic()) and answers() != [REVOKED] * REPLICAS:
        assert asked < returned + HEARD_SECONDS, "a replica still says good"
    assert [answers() for _ in range(3)] == [[REVOKED] * REPLICAS] * 3


def _freeze(lab: Lab) -> None:
    """Stop every process of the database until the clients feel it, then let it go on."""
    before, answered = len(lab.load.chains), [len(_requests(one)) for one in lab.replicas]
    lab.primary.send(signal.SIGSTOP)
    try:
        signal.sigtimedwait(set(), FROZEN_SECONDS)
        assert len(lab.load.chains) - before <= 2 * CLIENTS, "it went on without its database"
    finally:
        lab.primary.send(signal.SIGCONT)
    lab.work(ORDERS)
    since = [line for one, count in zip(lab.replicas, answered, strict=True) for line in _requests(one)[count:]]
    assert max(line["milliseconds"] for line in since) > 500 * FROZEN_SECONDS, "nobody waited for the database"


def _settle(lab: Lab) -> None:
    """Wait until the others have finished what the killed replicas were at."""
    deadline = time.monotonic() + PATIENCE
    while lab.standby.sql("select 1 from acme_order where status = 'processing'", "counterseal"):
        assert time.monotonic() < deadline, "an order of the killed replica is never ended"
        time.sleep(0.2)
    while not [line for one in lab.replicas for line in one.log if line["event"] == "order taken up"]:
        assert time.monotonic() < deadline, "an order that was being signed was not finished"
        time.sleep(0.2)
    assert not lab.standby.sql("select 1 from acme_order where csr is not null", "counterseal")


def _check(lab: Lab) -> None:
    rows = lab.standby.sql("select serial_number, status from certificate where profile = 'server'", "counterseal")
    known = {int.from_bytes(bytes(serial), "big"): status for serial, status in rows}  # type: ignore[call-overload] # octets
    serials = lab.load.serials
    assert len(serials) == len(set(serials)), "a certificate was handed out for two orders"
    assert set(serials) <= known.keys(), "a client has a certificate that the store has lost"
    ordered = lab.standby.sql("select serial_number from acme_order where status = 'valid'", "counterseal")
    issued = [serial for serial, status in known.items() if status != "reserved"]
    assert len(ordered) == len({bytes(serial) for (serial,) in ordered}) == len(issued) - 1, "issued twice"  # type: ignore[call-overload] # octets
    lists: Counter[tuple[object, ...]] = Counter(
        lab.standby.sql("select ca, action from key_use where action like 'crl %'", "counterseal")
    )
    assert len(lists) > 3
    assert max(lists.values()) == 1, "a number was given to two lists"
    assert counterseal(lab.homes[0], "log", "verify").code == 0
