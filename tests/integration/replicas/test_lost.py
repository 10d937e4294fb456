"""A failover to a standby that lacks the last commits: replication that is not synchronous forgets them."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest

from api_client import CONFIGURATION, Client, make_api
from command import counterseal
from counterseal.protocols.api.wishes import EXAMPLE_CSR
from integration.replicas.test_standby import wait_until
from postgresql_process import Cluster
from service_process import make_ca, running

pytestmark = pytest.mark.slow

WISH = {"profile": "server", "csr": EXAMPLE_CSR}
AHEAD = "select serial_number from certificate where name = 'reserved ahead'"
ASKED = "select query_start from pg_stat_activity where query like 'select pg_is_in_recov%'"
DISCARDED = "select serial_number from key_use where action = 'certificate, discarded'"


def test_numbers_whose_reservation_was_lost_are_not_used() -> None:
    """The next certificate has another number at once, and the signature that nobody gets is in the log."""
    with tempfile.TemporaryDirectory(prefix="cs-") as directory, ExitStack() as stack:
        base = Path(directory)
        base.chmod(0o711)
        primary = Cluster(base / "p")
        stack.callback(primary.end)
        primary.sql("create database counterseal")
        hosts = quote(f"{base}/p,{base}/s", safe=",/")
        store = f'[store]\nurl = "postgresql://counterseal@/counterseal?host={hosts}"\n'
        make_api(base / "home", store + CONFIGURATION, ["operator"])
        standby = Cluster(base / "s", follows=primary)
        stack.callback(standby.end)
        standby.stop()
        service = stack.enter_context(running(base / "home"))
        operator = Client(service, "operator")
        assert operator.call("POST", "/v1/certificates", WISH).status == 201
        wait_until(lambda: len(primary.sql(AHEAD, "counterseal")) > 0)
        lost = {bytes(number) for (number,) in primary.sql(AHEAD, "counterseal")}  # type: ignore[call-overload] # octets
        wait_until_the_log_is_known(primary)
        primary.stop("immediate")
        standby.start()
        standby.promote()
        answers = [operator.call("POST", "/v1/certificates", WISH) for _ in range(3)]
        assert [answer.status for answer in answers] == [201] * 3
        for answer in answers:
            shown = operator.call("GET", f"/v1/certificates/{answer.json['certificate']['serial_number']}")
            assert shown.status == 200
        ((discarded,),) = standby.sql(DISCARDED, "counterseal")
        assert bytes(discarded) in lost  # type: ignore[call-overload] # same
        assert counterseal(base / "home", "log", "verify").code == 0
        told = service.logged("the log of CA keys has lost its end", code="log.anchor")
        assert counterseal(base / "home", "log", "verify", "--anchor", told["anchor"]).code == 3


def test_an_old_primary_that_came_back_is_found() -> None:
    """By doctor: commands write to the first one that takes it, whatever services do. A standby is none."""
    with tempfile.TemporaryDirectory(prefix="cs-") as directory, ExitStack() as stack:
        base = Path(directory)
        base.chmod(0o711)
        primary = Cluster(base / "p", durable=True)
        stack.callback(primary.end)
        primary.sql("create database counterseal")
        hosts = quote(f"{base}/p,{base}/s,{base}/nobody,{base}/../{base.name}/p", safe=",/")
        make_ca(base / "home", f'[store]\nurl = "postgresql://counterseal@/counterseal?host={hosts}"\n')
        standby = Cluster(base / "s", durable=True, follows=primary)
        stack.callback(standby.end)
        said = "several hosts of the store may be written to"
        assert said not in counterseal(base / "home", "doctor").stdout
        standby.promote()
        looked = counterseal(base / "home", "doctor")
        assert (looked.code, f"{said}: {base}/p, {base}/s" in looked.stdout) == (1, True), looked.stdout


def wait_until_the_log_is_known(primary: Cluster) -> None:
    """Wait until the service has asked for the end of the log of key uses, and has gone on from the answer."""
    for _ in range(2):
        (began,) = primary.sql("select clock_timestamp()")[0]
        wait_until(lambda: any(when > began for (when,) in primary.sql(ASKED)))  # type: ignore[operator] # noqa: B023 - a time
