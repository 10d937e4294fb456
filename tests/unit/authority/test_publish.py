"""A list made from the one before is, octet for octet, the list made from the store; and when it may be made so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authority_fixtures import small_ca
from counterseal.authority.create import RootPlan, create
from counterseal.authority.generation_lists import has_newest_lists, list_numbers
from counterseal.authority.listing import list_entries
from counterseal.authority.parts import ROOT, Authority, Rules
from counterseal.authority.publish import publish, stale_lists
from counterseal.authority.revoke import revoke_record
from counterseal.errors import StoreError
from counterseal.files import write_fileset
from counterseal.keystore.file import FileKeyStore
from counterseal.keystore.software import SoftwareSigner
from counterseal.moments import epoch
from counterseal.pki.crl import RevocationReason, sign_crl
from counterseal.pki.keys import parse_key_spec
from counterseal.pki.subject import parse_subject
from counterseal.store.postgresql_failures import unreachable
from counterseal.store.records import CertificateRecord, CRLRecord, Status
from counterseal.store.sqlite import open_store
from counterseal.store.store import Store
from store_fixtures import certificate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.authority.listing import Listing

START = datetime(2026, 11, 1, tzinfo=UTC)
HOLD, SUPERSEDED = RevocationReason.CERTIFICATE_HOLD, RevocationReason.SUPERSEDED


class World:
    """A CA whose signatures are a function of what is signed (Ed25519), and a time that is set."""

    def __init__(self, authority: Authority) -> None:
        self.now = START
        self.authority = replace(authority, clock=lambda: self.now)
        self.serial_number = 0

    def add(self, *, days: int = 365) -> CertificateRecord:
        """Take a certificate in that has so long to live."""
        self.serial_number = int.from_bytes(sha256(b"%d" % self.serial_number).digest()[:16], "big")
        record = certificate(self.serial_number, issuer=ROOT, not_after=epoch(self.now + timedelta(days=days)))
        self.authority.store.adopt([(record, None)])
        return record

    def revoke(self, record: CertificateRecord, reason: RevocationReason = SUPERSEDED) -> None:
        """Revoke, or hold."""
        revoke_record(self.authority, record, reason)

    def publish(self) -> CRLRecord:
        """Publish, and see that the list is the one that the store makes."""
        (crl,) = publish(self.authority).signed
        assert crl.crl == self.made_anew(crl)
        assert crl.entries == len(x509.load_der_x509_crl(crl.crl))
        return crl

    def made_anew(self, crl: CRLRecord) -> bytes:
        """Return the list of that number, made from the store alone."""
        store, lifetime = self.authority.store, crl.next_update - crl.this_update
        record = store.ca(ROOT)
        return sign_crl(
            x509.load_der_x509_certificate(record.certificate),
            number=crl.number,
            this_update=self.now,
            next_update=self.now + timedelta(seconds=lifetime),
            entries=store.revoked(ROOT, not_expired_at=crl.this_update - lifetime),
            signer=self.authority.keystore.signer(record.key_id),
        )

    def next_listing(self) -> Listing:
        """Return what the next list would be made of."""
        ca = x509.load_der_x509_certificate(self.authority.store.ca(ROOT).certificate)
        now = epoch(self.now)
        return list_entries(self.authority, ROOT, ca, now=now, until=now + 7 * 86_400)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a CA with three revoked certificates, one held one, and its list."""
    with open_store(tmp_path / "store.db", create=True) as store:
        keystore = FileKeyStore(tmp_path / "keys", lambda: b"a passphrase")
        world = World(Authority(store, keystore, lambda: START, lambda size: b"\x05" * size, "test"))
        create(
            world.authority,
            RootPlan(parse_subject("CN=Root"), parse_key_spec("ed25519"), single_tier=True, encrypt=False),
        )
        for reason in (SUPERSEDED, SUPERSEDED, HOLD, SUPERSEDED):
            world.revoke(world.add(), reason)
        world.publish()
        yield world


def test_what_is_new_is_added_to_the_last_list(world: World) -> None:
    """Also what an import brings, and a second revocation within the same second."""
    world.revoke(world.add())
    world.revoke(world.add())
    imported = world.add()._replace(
        serial_number=1, status=Status.REVOKED, revoked_at=1, revocation_reason="superseded"
    )
    world.authority.store.adopt([(imported, bytes.fromhex("3012020101170d3235303130313030303030305a"))])
    listing = world.next_listing()
    assert (listing.taken_over, len(list(listing.added))) == (4, 3)
    assert world.publish().entries == 7


def lift(world: World) -> None:
    """Take the hold back."""
    held = next(one for one in all_of(world) if one.status is Status.HELD)
    world.authority.store.unrevoke(held.serial_number, issuer=ROOT)


def finish(world: World) -> None:
    """Revoke for good what is held: an entry changes."""
    world.revoke(next(one for one in all_of(world) if one.status is Status.HELD))


def end(world: World) -> None:
    """Let a revoked certificate end, and be on one list after that."""
    world.revoke(world.add(days=1))
    world.authority = replace(world.authority, rules=Rules(crl_refresh=timedelta(days=90)))
    world.publish()
    world.now += timedelta(days=8, seconds=1)


def age(world: World) -> None:
    """Let the refresh interval pass."""
    world.now += timedelta(days=1)


def set_back(world: World) -> None:
    """Set the clock back."""
    world.now -= timedelta(hours=1)


def damage(world: World) -> None:
    """Change an octet inside the last list as it is kept."""
    last = world.authority.store.latest_crl(ROOT)
    assert last is not None
    spoilt = last.crl.replace(b"Root", b"Toor")
    world.authority.store.run("update crl set der = ? where number = ?", (spoilt, last.number))


def forget(world: World) -> None:
    """Have a last list of which it is not known what is on it, as from before there were numbers."""
    world.authority.store.run("update crl set change_number = null")


def all_of(world: World) -> list[CertificateRecord]:
    """Return the certificates by the name that all have."""
    return list(world.authority.store.by_name(certificate().name))


@pytest.mark.parametrize("spoil", [lift, finish, end, age, set_back, damage, forget])
def test_a_list_begins_anew(world: World, spoil: object) -> None:
    """Where what stands on the last one is no longer so, or cannot be believed."""
    assert world.next_listing().taken_over > 0
    spoil(world)  # type: ignore[operator] # each of the functions above
    assert world.next_listing().taken_over == 0
    world.publish()


STEPS = st.lists(
    st.tuples(st.sampled_from(["revoke", "hold", "lift", "finish", "wait", "publish"]), st.integers(1, 40))
)


@given(STEPS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history_makes_the_list_of_the_store(world: World, steps: list[tuple[str, int]]) -> None:
    """Whatever is revoked, held, lifted and ends in whatever order; one history goes on where the last one stopped."""
    for step, amount in steps:
        held = [one for one in all_of(world) if one.status is Status.HELD]
        if step in {"revoke", "hold"}:
            world.revoke(world.add(days=amount), HOLD if step == "hold" else SUPERSEDED)
        elif step == "lift" and held:
            world.authority.store.unrevoke(held[amount % len(held)].serial_number, issuer=ROOT)
        elif step == "finish" and held:
            world.revoke(held[amount % len(held)])
        elif step == "wait":
            world.now += timedelta(hours=amount)
        else:
            world.publish()
    world.publish()


def test_a_list_is_stale_in_the_very_second_of_a_revocation(world: World) -> None:
    """Whoever revoked was stopped before he published: the clock does not tell that list from the next one."""
    world.publish()
    assert stale_lists(world.authority) == ()
    world.revoke(world.add())
    assert stale_lists(world.authority) == (ROOT,)
    world.publish()
    assert stale_lists(world.authority) == ()


def test_a_list_of_before_changes_were_numbered_is_stale_in_the_very_second_of_a_revocation(world: World) -> None:
    """Its date is all that tells: what was revoked in that second may not be on it."""
    world.now += timedelta(seconds=1)
    world.publish()
    forget(world)
    assert stale_lists(world.authority) == ()
    world.revoke(world.add())
    assert stale_lists(world.authority) == (ROOT,)


def test_a_list_dated_ahead_is_replaced(world: World) -> None:
    """By whoever publishes next: until its date OpenSSL refuses it, and with it everybody."""
    world.now += timedelta(seconds=60)
    world.publish()
    world.now -= timedelta(seconds=1)
    assert stale_lists(world.authority) == (ROOT,)
    world.publish()
    assert stale_lists(world.authority) == ()


@pytest.mark.parametrize("lifted", [False, True])
def test_a_list_is_stale_after_a_change_dated_before_it(world: World, *, lifted: bool) -> None:
    """It was signed by a host whose clock is ahead of the one that revoked, or lifted a hold, and was stopped then."""
    record = world.add()
    if lifted:
        world.revoke(record, HOLD)
    world.publish()
    assert stale_lists(world.authority) == ()
    world.now -= timedelta(seconds=60)
    if lifted:
        world.authority.store.unrevoke(record.serial_number, issuer=ROOT)
    else:
        world.revoke(record)
    world.now += timedelta(seconds=60)
    assert stale_lists(world.authority) == (ROOT,)
    world.publish()
    assert stale_lists(world.authority) == ()


def test_a_list_is_stale_when_its_refresh_is_due(world: World) -> None:
    """To the second, and though nothing was revoked: nginx refuses everybody once the last one has ended."""
    world.publish()
    world.now += world.authority.rules.crl_refresh - timedelta(seconds=1)
    assert stale_lists(world.authority) == ()
    world.now += timedelta(seconds=1)
    assert stale_lists(world.authority) == (ROOT,)


def test_the_list_of_a_root_alone_may_last_longer(tmp_path: Path) -> None:
    """Its key lies elsewhere, and is not brought for every list."""
    with small_ca(tmp_path) as authority:
        rules = Rules(root_crl_lifetime=timedelta(days=180), crl_lifetime=timedelta(days=7))
        signed = publish(replace(authority, rules=rules)).signed
    lifetimes = {crl.issuer: (crl.next_update - crl.this_update) // 86_400 for crl in signed}
    assert lifetimes == {ROOT: 180, "servers": 7, "clients": 7}


def test_a_list_that_cannot_be_signed_does_not_hold_up_the_next_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was begun is given back at once, not when its time is over."""
    monkeypatch.setattr(SoftwareSigner, "sign", unplugged)
    with pytest.raises(OSError, match="no token"):
        publish(world.authority)
    assert world.authority.store.begin_crl(ROOT, holder="another", seconds=60) is not None


def unplugged(_: SoftwareSigner, __: bytes) -> bytes:
    """Stand in for a key on a token that was pulled out."""
    raise OSError("no token")


def test_who_was_overtaken_begins_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one list was signed its time ended, another process revoked and published: the list kept last knows it."""
    sign, late = SoftwareSigner.sign, world.add()

    def overtaken(signer: SoftwareSigner, content: bytes) -> bytes:
        monkeypatch.setattr(SoftwareSigner, "sign", sign)
        world.authority.store.run("update lease set expires_at = 0")
        world.revoke(late)
        publish(world.authority)
        return sign(signer, content)

    before = world.publish()
    monkeypatch.setattr(SoftwareSigner, "sign", overtaken)
    after = world.publish()
    assert (after.number, after.entries) == (before.number + 3, before.entries + 1)
    told = [use.action for use in world.authority.store.key_uses()][-3:]
    assert told == [f"crl {before.number + 2}", f"crl {before.number + 1}, discarded", f"crl {before.number + 3}"]


@pytest.mark.parametrize("stored", [False, True])
def test_a_list_that_the_store_did_not_take_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch, *, stored: bool
) -> None:
    """In the log of key uses, else to who has another; where only the answer was lost it is there, and nobody is."""
    number, add, told = world.publish().number, Store.add_crl, list[str]()

    def away(store: Store, *given: Any, **more: Any) -> NoReturn:  # noqa: ANN401 - whatever it takes
        if stored:
            add(store, *given, **more)
        raise unreachable("gone")

    monkeypatch.setattr(Store, "add_crl", away)
    authority = replace(world.authority, tell_unrecorded=lambda use, error: told.append(f"{use.action}: {error.code}"))
    for _ in range(2):
        with pytest.raises(StoreError, match="gone"):
            publish(authority)
        monkeypatch.setattr(Store, "append_key_use", away)
    last = [use.action for use in world.authority.store.key_uses()][-2:]
    first, second = f"crl {number + 1}", f"crl {number + 2}"
    if stored:
        assert (last, told) == ([first, second], [])
    else:
        assert (last, told) == ([f"crl {number}", f"{first}, discarded"], [f"{second}, discarded: store.unreachable"])


def test_a_generation_has_old_lists_in_the_very_second_of_a_new_one(world: World, tmp_path: Path) -> None:
    """One that does not say which lists it has counts as old."""
    assert not has_newest_lists(world.authority, tmp_path)
    world.publish()
    write_fileset(tmp_path, list_numbers(world.authority))
    assert has_newest_lists(world.authority, tmp_path)
    world.publish()
    assert not has_newest_lists(world.authority, tmp_path)
