"""Reminders arrive at a real mail server and a real webhook, once each, and again until they were taken."""

from __future__ import annotations

import base64
import hmac
import json
import re
import ssl
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import pytest

from command import Ran, counterseal
from counterseal.authority.reminders import bounded
from counterseal.authority.reminders.mail import send_mail
from counterseal.authority.reminders.message import trial
from counterseal.authority.reminders.settings import MailSettings, WebhookSettings
from counterseal.authority.reminders.webhook import send_webhook
from counterseal.compose.home import settings_of
from counterseal.compose.stores import open_store
from counterseal.config.load import load_settings
from counterseal.errors import ConfigError, FileError
from counterseal.store.reminders import set_reminder_marks
from reminder_receivers import endless_receiver, http_receiver, mail_receiver
from service_process import SECONDS, make_ca, running

if TYPE_CHECKING:
    from pathlib import Path

SECRET = b"correct horse battery staple"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of a CA with a server certificate for the receivers, and the secrets of both ways."""
    return make_home(tmp_path_factory.mktemp("reminders") / "home")


def make_home(home: Path) -> Path:
    """Make one."""
    make_ca(home)
    made = counterseal(home, "server", "localhost", "--san", "IP:127.0.0.1", "--out", str(home / "receiver"))
    assert made.code == 0, made.stderr
    for name, secret in (("hook.secret", b"whsec_" + base64.b64encode(SECRET)), ("mail.password", b"open sesame")):
        (home / name).write_bytes(secret + b"\n")
        (home / name).chmod(0o600)
    return home


def certificate_of(home: Path) -> tuple[Path, Path]:
    """Return chain and key of the receivers."""
    return next((home / "receiver").glob("*.fullchain.pem")), next((home / "receiver").glob("*.key.pem"))


def hook_settings(port: int, scheme: str = "http") -> str:
    """Return the table of the webhook."""
    return f'[reminders.webhook]\nurl = "{scheme}://127.0.0.1:{port}/hook"\nsecret_file = "hook.secret"\n'


def mail_settings(port: int, more: str = "") -> str:
    """Return the table of the mail."""
    head = '[reminders.mail]\nto = ["ann@example.com", "bo@example.com"]\nfrom = "ca@example.com"\nhost = "127.0.0.1"\n'
    return f"{head}port = {port}\n{more}"


def check_signature(headers: dict[str, str], body: bytes) -> None:
    """Verify a post as a receiver does."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = base64.b64encode(hmac.digest(SECRET, signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{mac}"


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_test_message_arrives(home: Path, security: str) -> None:
    """Over TLS under a certificate of our own CA, with a log-in whose password comes from a file."""
    chain, key = certificate_of(home)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    login = 'username = "counterseal"\npassword_file = "mail.password"\n' if security != "none" else ""
    password = "open sesame" if security != "none" else ""
    with http_receiver(*certificate_of(home)) as hook, mail_receiver(security, context, password) as box:
        table = mail_settings(box.port, f'security = "{security}"\n{login}')
        (home / "counterseal.toml").write_text(hook_settings(hook.port, "https") + table)
        ran = counterseal(home, "reminders", "test")
    assert ran.code == 0, ran.stderr
    assert f"mail: taken by 127.0.0.1:{box.port} for ann@example.com, bo@example.com" in ran.stdout
    ((headers, body),) = hook.posts
    check_signature(headers, body)
    assert json.loads(body)["type"] == "test"
    (mail,) = box.mails
    assert (mail["Subject"], mail["Auto-Submitted"]) == ("counterseal: a test of reminders", "auto-generated")
    assert box.logins == (["counterseal"] if security != "none" else [])


def test_what_fails_is_said_without_the_password(home: Path) -> None:
    """A wrong password, a receiver that is down, a redirect, a secret that others can read, nobody to remind."""
    chain, key = certificate_of(home)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    with mail_receiver("starttls", context, "another one") as box, http_receiver() as hook:
        hook.status = 307
        login = 'security = "starttls"\nusername = "counterseal"\npassword_file = "mail.password"\n'
        (home / "counterseal.toml").write_text(hook_settings(hook.port) + mail_settings(box.port, login))
        ran = counterseal(home, "reminders", "test")
        assert (ran.code, len(hook.posts)) == (1, 1)
    assert "did not take one: http://127.0.0.1" in ran.stderr
    assert ": 307 " in ran.stderr
    assert "did not take a reminder: 127.0.0.1" in ran.stderr
    assert "535 " in ran.stderr
    assert "open sesame" not in ran.stderr + ran.stdout
    refused = counterseal(home, "reminders", "test")
    assert (refused.code, "refused" in refused.stderr.lower()) == (1, True)
    told = json.loads(counterseal(home, "reminders", "test", "--json").stdout)
    assert {one["error"] for one in told["sent"]} == {"reminder.mail", "reminder.webhook"}
    (home / "hook.secret").chmod(0o644)
    assert "has mode 0644" in counterseal(home, "reminders", "test").stderr
    (home / "hook.secret").chmod(0o600)
    (home / "counterseal.toml").write_text("")
    assert "nobody is to be reminded" in counterseal(home, "reminders", "test").stderr


def test_an_answer_in_no_protocol_and_a_password_in_no_ascii_keep_no_other_channel_back(home: Path) -> None:
    """Each is said in a line, the password in none, and the other channel is told."""
    chain, key = certificate_of(home)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    (home / "foreign.password").write_text("pass\u00e9word\n")
    (home / "foreign.password").chmod(0o600)
    login = 'security = "starttls"\nusername = "counterseal"\npassword_file = "foreign.password"\n'
    with mail_receiver() as box, mail_receiver("starttls", context, "x") as strict, http_receiver() as hook:
        (home / "counterseal.toml").write_text(hook_settings(box.port) + mail_settings(box.port))
        ran = counterseal(home, "reminders", "test")
        assert (ran.code, len(box.mails)) == (1, 1)
        assert f"did not take one: http://127.0.0.1:{box.port}: 220 " in ran.stderr
        (home / "counterseal.toml").write_text(hook_settings(hook.port) + mail_settings(strict.port, login))
        ran = counterseal(home, "reminders", "test")
        assert (ran.code, len(hook.posts)) == (1, 1)
        assert "user name and password of a log-in must be ASCII" in ran.stderr
        assert "\u00e9" not in ran.stderr


@pytest.mark.parametrize("security", ["none", "tls"])
def test_a_receiver_who_never_ends_is_left(
    home: Path, security: Literal["none", "tls"], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each octet of him came in time, so that he was waited for without end, and the service could not stop."""
    chain, key = certificate_of(home)
    serving, tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=str(home / "root.pem"))
    serving.load_cert_chain(chain, key)
    monkeypatch.setattr(bounded, "SECONDS", 1.0)
    message, began = trial(datetime.now(UTC), "a CA"), time.monotonic()
    with endless_receiver(serving if security == "tls" else None) as port:
        mail = MailSettings(("ann@example.com",), "ca@example.com", "127.0.0.1", port, security)
        with pytest.raises(FileError, match=f"did not take a reminder: 127.0.0.1:{port}: "):
            send_mail(mail, mail.to, message, tls)
        scheme = "https" if security == "tls" else "http"
        webhook = WebhookSettings(f"{scheme}://127.0.0.1:{port}/hook?secret", home / "hook.secret")
        with pytest.raises(FileError) as caught:
            send_webhook(webhook, message, tls)
        assert caught.value.message.startswith(f"the receiver of reminders did not take one: {webhook.shown}: ")
        assert time.monotonic() - began < SECONDS
        assert webhook.shown == f"{scheme}://127.0.0.1:{port}"


def test_refresh_reminds_once_and_again_until_it_was_taken(home: Path) -> None:
    """Far ahead in time, with a certificate about to end: a receiver that was down gets it with the next run."""
    made = counterseal(home, "client", "ann", "--lifetime", "90d", "--out", str(home / "ann"))
    assert made.code == 0, made.stderr
    with http_receiver() as hook, mail_receiver() as box:
        (home / "counterseal.toml").write_text(hook_settings(hook.port) + mail_settings(box.port))
        hook.status = 503
        for expected in (3, 3):
            assert later(home, "refresh").code == expected
        assert (len(hook.posts), len(box.mails)) == (2, 1)
        hook.status = 200
        shown = later(home, "reminders", "show")
        assert "mail: nothing is due" in shown.stdout
        assert "webhook: counterseal: certificate " in shown.stdout
        assert [later(home, "refresh").code for _ in range(2)] == [0, 0]
        assert (len(hook.posts), len(box.mails)) == (3, 1)
    headers, body = hook.posts[-1]
    check_signature(headers, body)
    assert [one[0]["webhook-id"] for one in hook.posts][1:] != []
    (ending,) = [one for one in json.loads(body)["endings"] if one["name"] == "ann"]
    assert (ending["kind"], ending["note"], ending["issuer"]) == ("certificate", "client", "clients")
    assert 0 < ending["seconds_left"] <= 7 * 86_400
    assert "certificate ann ends in" in box.mails[0].get_content()


def test_who_is_refused_has_nobody_else_told_again(tmp_path: Path) -> None:
    """The mail is taken for the others: it is done, and the refused one is named."""
    home = make_home(tmp_path / "home")  # one whose keys were used at no later time
    made = counterseal(home, "client", "bo", "--lifetime", "90d", "--out", str(home / "bo"))
    assert made.code == 0, made.stderr
    with mail_receiver() as box:
        (home / "counterseal.toml").write_text(mail_settings(box.port))
        box.refused = "bo@example.com"
        first = later(home, "refresh", at="+86d")
        assert (first.code, len(box.mails)) == (3, 1)
        assert "but not for bo@example.com (550 no such user)" in first.stderr
        assert (later(home, "refresh", at="+86d").code, len(box.mails)) == (0, 1)
        told = json.loads(counterseal(home, "reminders", "test", "--json").stdout)
        assert [one["error"] for one in told["sent"]] == ["reminder.mail_refused"]
        box.refused, box.mails = "", []
        assert counterseal(home, "reminders", "test").code == 0


ANN, BO = "ann@example.com", "bo@example.com"


@pytest.fixture
def ending(tmp_path: Path) -> Path:
    """Return a home of which there is something to be told, whose keys were used at no later time."""
    home = make_home(tmp_path / "home")
    made = counterseal(home, "client", "bo", "--lifetime", "90d", "--out", str(home / "bo"))
    assert made.code == 0, made.stderr
    return home


def test_who_is_refused_for_now_is_told_once_he_is_taken_and_nobody_else_again(ending: Path) -> None:
    """As by a server that wants to be asked twice, or of a full mailbox."""
    with mail_receiver() as box:
        (ending / "counterseal.toml").write_text(mail_settings(box.port))
        box.refused, box.answer = BO, "450-4.2.1\r\n450 try later"
        for _ in range(2):
            ran = later(ending, "refresh", at="+86d")
            assert (ran.code, box.receivers) == (3, [[ANN]])
            assert f"took a reminder for others, but not for {BO} (450 4.2.1 try later): " in ran.stderr
            assert "hint: it is sent again to whom the server refused for now" in ran.stderr
        assert "mail: counterseal: certificate " in later(ending, "reminders", "show", at="+86d").stdout
        box.refused = ""
        assert [later(ending, "refresh", at="+86d").code for _ in range(2)] == [0, 0]
        assert box.receivers == [[ANN], [BO]]
        assert [mail["To"] for mail in box.mails] == [f"{ANN}, {BO}", BO]
        assert len({mail["Message-ID"] for mail in box.mails}) == 1
        assert later(ending, "reminders", "show", at="+86d").stdout == "mail: nothing is due\n"


def test_who_is_refused_for_good_after_all_is_named_and_not_tried_again(ending: Path) -> None:
    """Others have it by then."""
    with mail_receiver() as box:
        (ending / "counterseal.toml").write_text(mail_settings(box.port))
        box.refused, box.answer = BO, "451 later"
        assert later(ending, "refresh", at="+86d").code == 3
        box.answer = "550 no such user"
        assert [later(ending, "refresh", at="+86d").code for _ in range(2)] == [3, 0]
        assert box.receivers == [[ANN]]


@pytest.mark.parametrize("answer", ["550 no such user", "421 closing"])
def test_what_nobody_has_been_told_is_tried_again(ending: Path, answer: str) -> None:
    """Whatever the server says of the only receiver, or where it goes away between two of them."""
    with mail_receiver() as box:
        settings = mail_settings(box.port)
        alone = settings if answer.startswith("421") else settings.replace(f'"{ANN}", ', "")
        (ending / "counterseal.toml").write_text(alone)
        box.refused, box.answer = BO, answer
        for _ in range(2):
            ran = later(ending, "refresh", at="+86d")
            assert (ran.code, box.receivers) == (3, [])
            assert f"did not take a reminder: 127.0.0.1:{box.port}: " in ran.stderr
            assert f"{BO} ({answer})" in ran.stderr
        (ending / "counterseal.toml").write_text(settings)
        box.refused = ""
        assert (later(ending, "refresh", at="+86d").code, box.receivers) == (0, [[ANN, BO]])


def test_who_comes_after_an_upgrade_is_told_and_nobody_else_again(ending: Path) -> None:
    """A store of before each had marks of his own has one for all who were there."""
    with mail_receiver() as box:
        settings = mail_settings(box.port)
        (ending / "counterseal.toml").write_text(settings)
        with open_store(ending, settings_of(ending).store) as store:
            set_reminder_marks(store, "mail", {f"ends within {days * 86400}": 1 << 40 for days in (1, 7, 30)})
        assert (later(ending, "refresh", at="+86d").code, box.receivers) == (0, [])
        (ending / "counterseal.toml").write_text(settings.replace(f'"{BO}"', f'"{BO}", "cy@example.com"'))
        assert (later(ending, "refresh", at="+86d").code, box.receivers) == (0, [["cy@example.com"]])


def later(home: Path, *arguments: str, at: str = "+85d") -> Ran:
    """Run a command that long from now."""
    command = ["faketime", "-f", at, sys.executable, "-m", "counterseal", *arguments, "--home", str(home)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=2 * SECONDS, check=False)
    assert "Traceback" not in ran.stderr, ran.stderr
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def test_the_service_reminds(tmp_path: Path) -> None:
    """Of a list that has ended while the CA's key was away."""
    home = tmp_path / "home"
    make_ca(home, '[ca]\ncrl_lifetime = "2s"\ncrl_refresh = "1s"\n')
    (home / "keys" / "clients.key.pem").rename(tmp_path / "away.pem")
    with mail_receiver() as box:
        with (home / "counterseal.toml").open("a") as file:
            file.write(mail_settings(box.port))
        deadline = time.monotonic() + SECONDS
        while "has ended" not in counterseal(home, "reminders", "show").stdout:
            assert time.monotonic() < deadline
        with running(home) as service:
            while not box.mails:
                assert time.monotonic() < deadline + 2 * SECONDS, service.lines
                time.sleep(0.1)
            text = box.mails[0].get_content()
    assert re.search(r"list clients ended .* ago {2}\(number 1 has ended, the CA's key is not here\)", text), text
    assert len(box.mails) == 1


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[reminders]\nbefore = ["soon"]\n', "not a length of time: 'soon'"),
        ("[reminders]\nbefore = []\n", "at least one length of time"),
        ('[reminders.webhook]\nurl = "ftp://x"\nsecret_file = "s"\n', "not an http or https URL"),
        ('[reminders.mail]\nto = ["ann"]\n', "not a mail address: 'ann'"),
        (
            '[reminders.webhook]\nurl = "https://u:open@x.test/y"\nsecret_file = "s"\n',
            "a user or a password in the URL of a webhook is not sent write the URL without",
        ),
        ("[reminders.mail]\nto = []\n", "to is empty"),
        ('[reminders.mail]\nto = ["a@b"]\nfrm = "c@d"\n', "did you mean 'from'?"),
        ('[reminders.mail]\nto = ["a@b"]\nusername = "u"\n', "go together"),
        ('[reminders.mail]\nto = ["a@b"]\nsecurity = "ssl"\n', "choose one of none, starttls, tls"),
        (
            '[reminders.mail]\nto = ["a@b"]\nhost = "mx"\nsecurity = "none"\nusername = "u"\npassword_file = "p"\n',
            "in the clear",
        ),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, table: str, said: str) -> None:
    """With what would be right."""
    (tmp_path / "counterseal.toml").write_text(table)
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path / "counterseal.toml").require()
    assert said in " ".join(f"{one.message} {one.hint}" for one in caught.value.findings)
