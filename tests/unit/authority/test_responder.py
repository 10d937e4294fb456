"""What OCSP says of a certificate, for every state that one can have, and how its signer is replaced."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from counterseal.authority import responder
from counterseal.authority.create import RootPlan, create
from counterseal.authority.parts import Authority
from counterseal.authority.responder import current_responder, ensure_responder, status_of, status_under
from counterseal.errors import StoreError
from counterseal.keystore.file import FileKeyStore
from counterseal.moments import moment
from counterseal.pki.crl import RevocationReason
from counterseal.pki.ocsp import CertificateStatus
from counterseal.pki.subject import parse_subject
from counterseal.store.leases import take_lease
from counterseal.store.sqlite import open_store
from store_fixtures import NOW, certificate, issue, new_store, reservation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.authority.responder import Responder
    from counterseal.keystore.software import SoftwareSigner

HOLD, COMPROMISE = RevocationReason.CERTIFICATE_HOLD, RevocationReason.KEY_COMPROMISE
UNKNOWN, GOOD = CertificateStatus(known=False), CertificateStatus(known=True)


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    """Give a CA with a valid certificate 1, a revoked 2, a held 3, and a number 4 that is only reserved."""
    with new_store(tmp_path) as store:
        issue(store, certificate(1), certificate(2), certificate(3))
        store.reserve_many([reservation(certificate(4))])
        store.revoke(2, at=NOW + 5, reason=COMPROMISE, crl_entry=b"2")
        store.revoke(3, at=NOW + 6, reason=HOLD, crl_entry=b"3")
        keystore = FileKeyStore(tmp_path, lambda: None)
        yield Authority(store, keystore, lambda: datetime(2026, 1, 1, tzinfo=UTC), bytes, "test")


@pytest.mark.parametrize(
    ("serial_number", "status"),
    [
        (1, GOOD),
        (2, CertificateStatus(known=True, revoked_at=moment(NOW + 5), reason=COMPROMISE)),
        (3, CertificateStatus(known=True, revoked_at=moment(NOW + 6), reason=HOLD)),
        (4, UNKNOWN),
        (5, UNKNOWN),
        (0, UNKNOWN),
        (-1, UNKNOWN),
        (1 << 200, UNKNOWN),
    ],
)
def test_status(authority: Authority, serial_number: int, status: CertificateStatus) -> None:
    """Also for numbers that no certificate can have."""
    assert status_of(authority, "clients", serial_number) == status


def test_another_ca_did_not_issue_it(authority: Authority) -> None:
    """Serial numbers are an issuer's own."""
    assert status_of(authority, "servers", 1) == UNKNOWN


def test_a_hold_that_was_lifted_is_good_again(authority: Authority) -> None:
    """RFC 5280 5.3.1."""
    authority.store.unrevoke(3)
    assert status_of(authority, "clients", 3) == GOOD


def revoked(at: int, reason: RevocationReason, *, known: bool = True) -> CertificateStatus:
    """Return the status of what was revoked then."""
    return CertificateStatus(known=known, revoked_at=moment(NOW + at), reason=reason)


CA_COMPROMISE, SUPERSEDED = RevocationReason.CA_COMPROMISE, RevocationReason.SUPERSEDED


@pytest.mark.parametrize(
    ("own", "ca", "said"),
    [
        (GOOD, GOOD, GOOD),
        (UNKNOWN, GOOD, UNKNOWN),
        (UNKNOWN, UNKNOWN, UNKNOWN),
        (revoked(5, COMPROMISE), GOOD, revoked(5, COMPROMISE)),
        (GOOD, revoked(5, COMPROMISE), revoked(5, CA_COMPROMISE)),
        (GOOD, revoked(5, CA_COMPROMISE), revoked(5, CA_COMPROMISE)),
        (GOOD, revoked(5, SUPERSEDED), revoked(5, SUPERSEDED)),
        (UNKNOWN, revoked(5, SUPERSEDED), UNKNOWN),
        (UNKNOWN, revoked(5, COMPROMISE), revoked(5, CA_COMPROMISE, known=False)),
        (revoked(4, SUPERSEDED), revoked(5, COMPROMISE), revoked(4, SUPERSEDED)),
        (revoked(6, SUPERSEDED), revoked(5, COMPROMISE), revoked(5, CA_COMPROMISE)),
        (revoked(4, HOLD), revoked(5, COMPROMISE), revoked(5, CA_COMPROMISE)),
    ],
)
def test_status_under_a_ca(own: CertificateStatus, ca: CertificateStatus, said: CertificateStatus) -> None:
    """What a revoked CA issued is revoked; of one in a thief's hands also what it is not known to have issued."""
    assert status_under(own, ca) == said


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Authority]:
    """Give a CA whose keys are encrypted."""
    with open_store(tmp_path / "store.db", create=True) as store:
        keystore = FileKeyStore(tmp_path / "keys", lambda: b"a passphrase")
        authority = Authority(store, keystore, lambda: datetime(2026, 1, 1, tzinfo=UTC), os.urandom, "test")
        create(authority, RootPlan(parse_subject("CN=Root"), single_tier=True))
        yield authority


def test_the_responder_is_replaced_in_time(real: Authority) -> None:
    """The same one until a third of its life is left; its key is protected as the CA's, and removed at its end."""
    first = ensure_responder(real, "root")
    later = replace(real, clock=lambda: real.clock() + timedelta(days=9))
    assert ensure_responder(later, "root").certificate == first.certificate
    due = replace(real, clock=lambda: real.clock() + timedelta(days=10))
    assert current_responder(due, "root") is None
    second = ensure_responder(due, "root")
    assert second.certificate.public_key() != first.certificate.public_key()
    assert [real.keystore.is_encrypted(key_id(one)) for one in (first, second)] == [True, True]
    ensure_responder(replace(real, clock=lambda: real.clock() + timedelta(days=20)), "root")
    assert [real.keystore.has(key_id(one)) for one in (first, second)] == [False, True]


def test_a_responder_of_a_clock_that_was_ahead_is_replaced(real: Authority) -> None:
    """Until its beginning nobody takes what it signs."""
    ahead = replace(real, clock=lambda: real.clock() + timedelta(minutes=9))
    first = ensure_responder(ahead, "root")
    assert current_responder(real, "root") is None
    second = ensure_responder(real, "root")
    assert second.certificate.not_valid_before_utc <= real.clock() < first.certificate.not_valid_before_utc


@pytest.mark.slow
def test_of_two_at_once_one_makes_it(real: Authority) -> None:
    """The other waits and takes the same one; one certificate is issued for it, and there is one key."""

    def ensure(_: int) -> Responder:
        with open_store(real.store.path) as store:
            return ensure_responder(replace(real, store=store), "root")

    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(ensure, range(4)))
    assert len({one.certificate.serial_number for one in made}) == 1
    assert len(real.store.by_name("ocsp:root")) == 1
    assert made[0].signer.public_key == made[3].signer.public_key


def test_a_late_maker_is_stopped(real: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Overtaken while it made its key, it leaves no certificate and no key; that the CA's key signed is in the log."""
    slow = real.keystore.create

    def overtaken(key_id: str, *rest: Any, **more: Any) -> SoftwareSigner:  # noqa: ANN401 - whatever it takes
        signer = slow(key_id, *rest, **more)
        real.store.run("update lease set expires_at = 0")
        assert take_lease(real.store, "responder root", holder="another", seconds=60)
        return signer

    monkeypatch.setattr(type(real.keystore), "create", lambda _, *rest, **more: overtaken(*rest, **more))
    with pytest.raises(StoreError) as caught:
        ensure_responder(real, "root")
    assert caught.value.code == "store.lease_lost"
    assert [one.status for one in real.store.by_name("ocsp:root")] == []
    assert [one.action for one in real.store.key_uses()][-1] == "certificate, discarded"
    assert not [path for path in (real.store.path.parent / "keys").iterdir() if path.name.startswith("ocsp-")]


@pytest.mark.parametrize("step", ["prepare_draft", "_record"])
def test_what_a_killed_maker_left_is_removed_by_the_next(real: Authority, step: str) -> None:
    """The key of a responder that was never certified: killed once it was written, or before the certificate was."""
    keys = real.store.path.parent / "keys"
    before = set(keys.iterdir())
    killed = os.fork()
    if killed == 0:
        try:
            with open_store(real.store.path) as store, pytest.MonkeyPatch.context() as patch:
                patch.setattr(responder, step, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
                ensure_responder(replace(real, store=store), "root")
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(killed, 0)[1]) == -signal.SIGKILL
    (left,) = set(keys.iterdir()) - before
    real.store.run("update lease set expires_at = 0")
    made = ensure_responder(real, "root")
    assert {path.name for path in set(keys.iterdir()) - before} == {f"{key_id(made)}.key.pem"}
    assert not left.exists()


def key_id(made: Responder) -> str:
    """Return the id of a responder's key."""
    return f"ocsp-{made.ca}-{made.certificate.serial_number:x}"
