"""What is due for a reminder: each end once at each mark, nothing that was replaced, nothing that renews by itself."""

from __future__ import annotations

import base64
import os
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from counterseal.authority.create import RootPlan, create
from counterseal.authority.parts import Authority
from counterseal.authority.publish import publish
from counterseal.authority.reminders import send
from counterseal.authority.reminders.due import SHOWN, find_due
from counterseal.authority.reminders.mail import Refusal, write_mail
from counterseal.authority.reminders.message import reminder, trial
from counterseal.authority.reminders.settings import MailSettings, ReminderSettings
from counterseal.authority.reminders.webhook import sign, webhook_key
from counterseal.errors import InputError
from counterseal.keystore.file import FileKeyStore
from counterseal.moments import moment
from counterseal.pki.subject import parse_subject
from counterseal.store.reminders import (
    end_turn,
    reminder_marks,
    set_reminder_marks,
    share_reminder_marks,
    take_turn,
)
from counterseal.store.sqlite import open_store
from store_fixtures import DAY, NOW, certificate, issue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BEFORE = (timedelta(days=1), timedelta(days=7), timedelta(days=30))


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    """Return a CA of one tier that was made now, with its list."""
    with open_store(tmp_path / "store.db", create=True) as store:
        authority = Authority(store, FileKeyStore(tmp_path, lambda: None), lambda: moment(NOW), os.urandom, "test")
        create(authority, RootPlan(parse_subject("CN=Root"), single_tier=True, encrypt=False))
        publish(authority)
        yield authority


def at(authority: Authority, days: float) -> Authority:
    """Return the CA so many days later."""
    return replace(authority, clock=lambda: moment(NOW + int(days * DAY)))


def certify(authority: Authority, number: int, days: float, **changes: object) -> None:
    """Issue a certificate that lives for so many days from now."""
    name = str(changes.pop("name", f"n{number}"))
    one = certificate(number, issuer="root", name=name, not_after=NOW + int(days * DAY), **changes)
    issue(authority.store, one)


def tell(authority: Authority) -> list[str]:
    """Return the names of what is due, and note that they were told."""
    due = find_due(authority, BEFORE, reminder_marks(authority.store, "mail"))
    set_reminder_marks(authority.store, "mail", due.marks)
    return [one.name for one in due.endings if one.kind != "list"]


def test_an_end_is_told_once_at_each_length(authority: Authority) -> None:
    """At 30, 7 and 1 days, and never in between."""
    certify(authority, 1, 100)
    told = {day: names for day in range(102) if (names := tell(at(authority, day)))}
    assert told == {71: ["n1"], 94: ["n1"], 100: ["n1"]}


def test_what_was_not_told_in_time_is_told_once(authority: Authority) -> None:
    """After a long pause, or the first time that anybody is to be told: one line, whatever lengths it has passed."""
    certify(authority, 1, 100)
    certify(authority, 2, 200)
    assert tell(at(authority, 99.5)) == ["n1"]
    assert tell(at(authority, 99.6)) == []
    assert tell(at(authority, 199.5)) == ["n2"]


def test_who_renews_in_time_is_not_told_of(authority: Authority) -> None:
    """Thirty days are a third of ninety, where renewing only begins; of a certificate for a day nobody is told."""
    certify(authority, 1, 90)
    certify(authority, 2, 1)
    told = {day: names for day in range(92) if (names := tell(at(authority, day)))}
    assert told == {84: ["n1"], 90: ["n1"]}


@pytest.mark.parametrize(
    ("name", "profile", "told"), [("n1", "client", []), ("n1", "server", ["n1"]), ("other", "client", ["n1"])]
)
def test_what_was_replaced_reminds_nobody(authority: Authority, name: str, profile: str, told: list[str]) -> None:
    """By a newer one of the same name for the same purpose."""
    certify(authority, 1, 100)
    certify(authority, 2, 400, name=name, profile=profile)
    assert tell(at(authority, 95)) == told


def test_neither_revoked_nor_made_for_a_proof(authority: Authority) -> None:
    """And no CA twice: its certificate is in the inventory too."""
    certify(authority, 1, 100)
    certify(authority, 2, 100, profile="client-probe")
    authority.store.revoke(1, at=NOW, reason="superseded", crl_entry=b"e")
    assert tell(at(authority, 95)) == []
    ca_days = (find_ca_end(authority) - NOW) / DAY
    assert tell(at(authority, ca_days - 0.5)) == ["root"]


def find_ca_end(authority: Authority) -> int:
    """Return when the root ends."""
    return int(authority.path(authority.store.ca("root"))[0].not_valid_after_utc.timestamp())


def test_a_list_is_told_of_when_it_was_not_replaced(authority: Authority) -> None:
    """Once when two intervals have passed, once when it has ended; a new one begins anew."""

    def told(days: float) -> list[str]:
        due = find_due(at(authority, days), BEFORE, reminder_marks(authority.store, "mail"))
        set_reminder_marks(authority.store, "mail", due.marks)
        return [one.note for one in due.endings]

    assert told(1.9) == []
    assert told(2.1) == ["number 1 was not replaced in time"]
    assert told(6.9) == []
    assert told(7.1) == ["number 1 has ended"]
    publish(at(authority, 8))
    assert told(9) == []
    assert told(11) == ["number 2 was not replaced in time"]


def test_a_flood_is_one_message(authority: Authority) -> None:
    """The first hundred are told one by one, all are counted."""
    for number in range(1, SHOWN + 21):
        certify(authority, number, 100)
    due = find_due(at(authority, 95), BEFORE, {})
    assert (due.count, len(due.endings)) == (SHOWN + 21, SHOWN)
    message = reminder(due, "the CA")
    assert message.document["count"] == SHOWN + 21
    assert "and 21 more\n" in message.text
    assert message.id == reminder(due, "the CA").id


def test_of_two_one_has_the_turn(authority: Authority) -> None:
    """Until it is given back, or is over because its holder died."""
    store = authority.store
    assert take_turn(store, "mail", at=NOW, until=NOW + 120)
    assert not take_turn(store, "mail", at=NOW + 60, until=NOW + 180)
    assert take_turn(store, "webhook", at=NOW + 60, until=NOW + 180)
    assert take_turn(store, "mail", at=NOW + 121, until=NOW + 200)
    end_turn(store, "mail")
    assert take_turn(store, "mail", at=NOW + 122, until=NOW + 200)
    assert reminder_marks(store, "mail") == {}


def test_a_mark_never_goes_back(authority: Authority) -> None:
    """Whoever was slower does not make it be told again."""
    set_reminder_marks(authority.store, "mail", {"a": 5})
    set_reminder_marks(authority.store, "mail", {"a": 4, "b": 1})
    assert reminder_marks(authority.store, "mail") == {"a": 5, "b": 1}


def test_marks_of_all_receivers_are_those_of_each_once(authority: Authority) -> None:
    """A store of before each had his own tells nobody again; who comes later begins anew."""
    store = authority.store
    set_reminder_marks(store, "mail", {"a": 5, "b": 1})
    assert take_turn(store, "mail", at=NOW, until=NOW + 120)
    for receivers in (["mail ann@a.test", "mail bo@a.test"], ["mail ann@a.test", "mail cy@a.test"]):
        share_reminder_marks(store, "mail", receivers)
    assert reminder_marks(store, "mail ann@a.test") == reminder_marks(store, "mail bo@a.test") == {"a": 5, "b": 1}
    assert reminder_marks(store, "mail") == reminder_marks(store, "mail cy@a.test") == {}
    assert not take_turn(store, "mail", at=NOW, until=NOW + 120), "the turn is the channel's"


@pytest.mark.parametrize(("code", "again"), [(450, True), (550, False)])
def test_who_was_refused_for_now_is_tried_again_soon(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, code: int, *, again: bool
) -> None:
    """Who was refused for good is not: he would be refused as often."""
    certify(authority, 1, 90)
    mail = MailSettings(("ann@a.test", "bo@a.test"), "ca@a.test", "localhost", 25, "none")
    monkeypatch.setattr(send, "send_mail", lambda *_: {"bo@a.test": Refusal(code, "no")})
    (sent,) = send.send_reminders(at(authority, 86), ReminderSettings(BEFORE, mail=mail))
    assert (sent.count > 0, sent.again) == (True, again)


def test_the_signature_is_that_of_the_standard() -> None:
    """The example of the specification, standardwebhooks.com."""
    key = webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    signature = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert webhook_key("plain") == b"plain"
    with pytest.raises(InputError, match="not base64"):
        webhook_key("whsec_?")
    assert base64.b64decode(signature.removeprefix("v1,"))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\u2028", "\x85"])
def test_a_name_makes_no_field_of_a_mail(end: str) -> None:
    """One of a certificate of another program, in a store from before such names were escaped."""
    mail = MailSettings(("ann@a.test",), "ca@a.test", "localhost", 25, "none")
    written = write_mail(mail, mail.to, replace(trial(moment(NOW), "a CA"), subject=f"eve{end}Bcc: eve@x.test"))
    assert written["Bcc"] is None
    assert written["Subject"].startswith("eve\\")
