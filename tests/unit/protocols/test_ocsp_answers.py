"""Which signed answer is used again, and which is signed ahead or forgotten."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from counterseal.authority.create import RootPlan, create
from counterseal.authority.parts import ROOT, Authority
from counterseal.authority.revoke_ca import revoke_ca
from counterseal.keystore.file import FileKeyStore
from counterseal.moments import epoch
from counterseal.pki.crl import RevocationReason
from counterseal.pki.ocsp import Asked, CertificateStatus
from counterseal.pki.subject import parse_subject
from counterseal.protocols.ocsp_answers import Answers
from counterseal.protocols.ocsp_rules import OCSPRules
from counterseal.service.access import Access
from counterseal.service.origin import Origin
from counterseal.service.parts import Service
from counterseal.store.sqlite import open_store
from store_fixtures import certificate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

GOOD = CertificateStatus(known=True)
ASKED = Asked("sha256", bytes(32), bytes(32), 7, None)
SOON, LATER = (
    timedelta(hours=5),
    timedelta(hours=6),
)  # of the twelve that an answer has: signed ahead, not used any more


@dataclass
class Lab:
    """The answers of a CA with one certificate, and a time that is set."""

    path: Path
    issuer: str = ROOT
    now: datetime = field(default=datetime(2026, 11, 1, tzinfo=UTC))

    def authority(self) -> Authority:
        """Open the store once more."""
        store = open_store(self.path / "store.db", create=True, one_thread=False)
        keystore = FileKeyStore(self.path / "keys", lambda: None)
        return Authority(store, keystore, lambda: self.now, os.urandom, "test")

    def tell(self, story: Callable[[Answers, Authority], Awaitable[None]]) -> None:
        """Run a story with the answers, whose responder is there."""

        async def told() -> None:
            with self.authority() as reader, self.authority() as writer:
                create(writer, RootPlan(parse_subject("CN=Root"), single_tier=self.issuer == ROOT, encrypt=False))
                record = certificate(7, issuer=self.issuer, not_after=epoch(self.now + timedelta(days=90)))
                writer.store.adopt([(record, None)])
                access = Access(reader, writer, self.authority)
                service = Service(access, Origin(("x",), 1), reader.clock, os.urandom, b"")
                answers = Answers(service, OCSPRules())
                await answers.renew()
                try:
                    await story(answers, writer)
                finally:
                    await access.close()

        asyncio.run(told())


def test_an_answer_stands_for_half_of_its_time(tmp_path: Path) -> None:
    """Then it is signed anew, even if nothing was signed ahead."""
    lab = Lab(tmp_path)

    async def story(answers: Answers, _: Authority) -> None:
        key, signed = answers.get(ROOT, ASKED, GOOD)
        lab.now += LATER - timedelta(seconds=1)
        assert answers.look(key) is signed
        lab.now += timedelta(seconds=1)
        assert answers.look(key) is None
        assert answers.get(ROOT, ASKED, GOOD)[1].this_update == lab.now

    lab.tell(story)


def test_an_answer_dated_ahead_is_signed_anew(tmp_path: Path) -> None:
    """The clock was ahead when it was signed, and was set right: nobody takes an answer before its time."""
    lab = Lab(tmp_path)

    async def story(answers: Answers, _: Authority) -> None:
        lab.now += timedelta(hours=1)
        key, ahead = answers.get(ROOT, ASKED, GOOD)
        assert answers.look(key) is ahead
        lab.now -= timedelta(hours=1)
        assert answers.look(key) is None
        assert answers.get(ROOT, ASKED, GOOD)[1].this_update == lab.now

    lab.tell(story)


def test_it_stands_as_long_as_the_store_says_the_same(tmp_path: Path) -> None:
    """Whoever revokes."""
    lab = Lab(tmp_path)

    async def story(answers: Answers, authority: Authority) -> None:
        key, _ = answers.get(ROOT, ASKED, GOOD)
        authority.store.revoke(7, at=epoch(lab.now), reason="superseded", crl_entry=b"")
        assert answers.look(key) is None

    lab.tell(story)


def test_what_was_asked_for_is_signed_ahead(tmp_path: Path) -> None:
    """With what the store says by then; once nobody asks any more it is forgotten."""
    lab = Lab(tmp_path)

    async def story(answers: Answers, authority: Authority) -> None:
        key, signed = answers.get(ROOT, ASKED, GOOD)
        await answers.sign_ahead()
        assert answers.look(key) is signed
        lab.now += SOON
        await answers.sign_ahead()
        ahead = answers.look(key)
        assert ahead is not None
        assert (ahead.this_update, ahead.status) == (lab.now, GOOD)
        authority.store.revoke(7, at=epoch(lab.now), reason="superseded", crl_entry=b"")
        lab.now += SOON
        await answers.sign_ahead()
        revoked = answers.look(key)
        assert revoked is not None
        assert revoked.status.revoked_at is not None
        for _ in range(2):  # it was asked for just now, and then no more
            lab.now += SOON
            await answers.sign_ahead()
        assert answers.look(key) is None

    lab.tell(story)


def test_a_clock_that_jumps_is_noticed(tmp_path: Path) -> None:
    """Weeks later the responder has expired; there is a new one as soon as it is looked at, and otherwise no look."""
    lab = Lab(tmp_path)

    async def story(answers: Answers, _: Authority) -> None:
        first = answers.sign(ROOT, [(ASKED, GOOD)]).responder
        for jump, is_same in (
            (timedelta(minutes=4), True),
            (timedelta(days=20), False),
            (timedelta(seconds=5), True),
            (timedelta(days=-1), False),  # it is not good yet
        ):
            lab.now += jump
            await answers.renew_in_time()
            assert answers.can_sign(ROOT)
            second = answers.sign(ROOT, [(ASKED, GOOD)]).responder
            assert (second is first) == is_same
            first = second

    lab.tell(story)


def test_an_answer_for_another_name_is_another_one(tmp_path: Path) -> None:
    """The hash by which a certificate is named is part of the answer."""
    lab = Lab(tmp_path)

    async def story(answers: Answers, _: Authority) -> None:
        one = answers.get(ROOT, ASKED, GOOD)
        other = answers.get(ROOT, Asked("sha1", bytes(20), bytes(20), 7, None), GOOD)
        assert one[0] != other[0]
        assert one[1].content != other[1].content

    lab.tell(story)


def test_what_a_revoked_ca_issued_is_revoked(tmp_path: Path) -> None:
    """With the very next question; and its responder is renewed, for who asks of the certificate and not of its CA."""
    lab, nobodys = Lab(tmp_path, "clients"), 1 << 4000

    async def story(answers: Answers, authority: Authority) -> None:
        key, _ = answers.get("clients", ASKED, GOOD)
        assert answers.status_at_once("clients", 7) == GOOD
        revoke_ca(authority, "clients", RevocationReason.KEY_COMPROMISE)
        assert answers.look(key) is None
        said = CertificateStatus(known=True, revoked_at=lab.now, reason=RevocationReason.CA_COMPROMISE)
        assert (answers.status_at_once("clients", 7), await answers.status("clients", 7)) == (said, said)
        assert answers.status_at_once("clients", nobodys) is None
        assert await answers.status("clients", nobodys) == replace(said, known=False)
        assert await answers.status("servers", 7) == CertificateStatus(known=False)
        before = answers.sign("clients", [(ASKED, said)]).responder
        lab.now += timedelta(days=20)
        await answers.renew()
        assert answers.can_sign("clients")
        assert answers.sign("clients", [(ASKED, said)]).responder is not before

    lab.tell(story)
