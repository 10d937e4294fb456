"""Any of it may die while clients order, and nothing is lost, issued twice or numbered twice."""

from __future__ import annotations

import signal
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from command import counterseal
from replicas import CLIENTS, PATIENCE, Lab, replicas, under_load

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.nginx]
FROZEN_SECONDS = 2.0
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
    """A replica is killed, the database restarted, crashed, frozen, and at last replaced by its standby."""
    with under_load(lab):
        lab.work(ORDERS)
        lab.replicas[1].process.kill()
        lab.replicas[1].process.wait(30)
        lab.work(ORDERS)
        lab.replicas[1] = lab.start(1)
        lab.primary.restart("fast")
        lab.work(ORDERS)
        lab.primary.restart("immediate")
        lab.work(ORDERS)
        _freeze(lab)
        lab.work(ORDERS)
        lab.primary.stop("immediate")
        lab.standby.promote()
        lab.work(ORDERS)
    _settle(lab)
    assert [replica.stop() for replica in lab.replicas] == [0, 0, 0]
    _check(lab)


def _freeze(lab: Lab) -> None:
    """Stop every process of the database until the clients feel it, then let it go on."""
    before = len(lab.load.chains)
    lab.primary.send(signal.SIGSTOP)
    try:
        signal.sigtimedwait(set(), FROZEN_SECONDS)
        assert len(lab.load.chains) - before <= 2 * CLIENTS, "it went on without its database"
    finally:
        lab.primary.send(signal.SIGCONT)


def _settle(lab: Lab) -> None:
    """Wait until the others have given up what the killed replica was at."""
    deadline = time.monotonic() + PATIENCE
    while lab.standby.sql("select 1 from acme_order where status = 'processing'", "counterseal"):
        assert time.monotonic() < deadline, "an order of the killed replica is never ended"
        time.sleep(0.2)


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
