"""The doctor's lines about a CA, at this moment and later, and how faults become lines."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from counterseal.authority.ahead import reserve_ahead
from counterseal.authority.create import RootPlan, add_ca, create
from counterseal.authority.doctor.ca import check_ends, check_keys, check_store
from counterseal.authority.doctor.check import Check, State, attention, broken, looked, ok, worst_of
from counterseal.authority.publish import publish
from counterseal.authority.retire import retire
from counterseal.authority.revoke_ca import revoke_ca
from counterseal.compose.home import new_home
from counterseal.errors import ConfigError, FileError
from counterseal.findings import Finding, Severity
from counterseal.keystore.file import FileKeyStore
from counterseal.moments import epoch
from counterseal.pki.crl import RevocationReason
from counterseal.pki.profile import Purpose
from counterseal.pki.subject import parse_subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from counterseal.authority.parts import Authority


@contextmanager
def _new(directory: Path) -> Iterator[Authority]:
    with new_home(directory / "home", lambda: None) as made:
        create(made, RootPlan(parse_subject("CN=Root"), encrypt=False))
        publish(made)
        yield made


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """Return a new CA with its first lists, which nobody changes."""
    with _new(tmp_path_factory.mktemp("untouched")) as made:
        yield made


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    """Return a new CA with its first lists."""
    with _new(tmp_path) as made:
        yield made


def _states(checks: Iterable[Check]) -> dict[str, State]:
    return {f"{check.topic} {check.subject}".strip(): check.state for check in checks}


def _after(authority: Authority, days: float) -> Authority:
    """Return the same CA as it is seen later."""
    moment = authority.clock() + timedelta(days=days)
    return replace(authority, clock=lambda: moment)


def test_a_new_ca_is_well(untouched: Authority) -> None:
    """Every line, and none of them complains."""
    checks = [*check_store(untouched, deep=False), *check_keys(untouched, unlock=False), *check_ends(untouched, ())]
    assert worst_of(checks) is State.OK
    assert {"store", "log", "key root", "ca clients", "list servers", "certificates"} <= set(_states(checks))
    assert all(check.mend is None for check in checks)


def test_a_number_that_a_command_left_is_told(authority: Authority) -> None:
    """When it is no longer work under way, and as nothing to worry about; one reserved ahead is none."""
    at = epoch(authority.clock())
    reserve_ahead(authority, "clients")
    authority.store.reserve(7, issuer="clients", name="x", profile="client", at=at, actor="root")
    assert "reserved" not in _states(check_store(authority, deep=False))
    (told,) = (check for check in check_store(_after(authority, 1), deep=False) if check.topic == "reserved")
    assert (told.state, told.message.startswith("1 serial number is of commands")) == (State.OK, True)


@pytest.mark.parametrize(
    ("days", "lists", "issuing", "root"),
    [
        (0, State.OK, State.OK, State.OK),
        (2, State.ATTENTION, State.OK, State.OK),
        (8, State.BROKEN, State.OK, State.OK),
        (1700, State.BROKEN, State.ATTENTION, State.OK),
        (1900, State.BROKEN, State.BROKEN, State.OK),
        (3700, State.BROKEN, State.BROKEN, State.BROKEN),
    ],
)
def test_everything_grows_old(untouched: Authority, days: int, lists: State, issuing: State, root: State) -> None:
    """Lists after a day and a week, CAs in the last tenth of their life and at its end; each says what mends it."""
    checks = list(check_ends(_after(untouched, days), ()))
    states = _states(checks)
    assert (states["list clients"], states["ca clients"], states["ca root"]) == (lists, issuing, root)
    assert all(check.mend for check in checks if check.state is not State.OK)
    (told,) = (check.message for check in checks if (check.topic, check.subject) == ("list", "clients"))
    assert told.startswith(f"number 1, {days}d" if days else "number 1, ")
    assert " old, until " in told


def _mends(authority: Authority, days: float) -> dict[str, str | None]:
    return {line.subject: line.mend for line in check_ends(_after(authority, days), ()) if line.topic == "ca"}


def test_what_mends_a_ca_that_ends_can_be_done(authority: Authority, tmp_path: Path) -> None:
    """Another one in the place of an issuing CA, and in that of a root, of all under one that ended, a new CA."""
    another = "counterseal ca add clients-2 --purpose client && counterseal ca retire clients --successor clients-2"
    anew = "counterseal init --home ELSEWHERE, and issue anew there: nothing under this root outlives it"
    assert {name: _mends(authority, 1700)[name] for name in ("clients", "root")} == {"clients": another, "root": None}
    assert {name: _mends(authority, 3400)[name] for name in ("clients", "root")} == {"clients": another, "root": anew}
    assert set(_mends(authority, 3700).values()) == {anew}
    add_ca(_after(authority, 3400), "clients-2", Purpose.CLIENT, encrypt=False)
    assert _mends(authority, 3640)["clients-2"] == anew
    with new_home(tmp_path / "single", lambda: None) as single:
        create(single, RootPlan(parse_subject("CN=One"), single_tier=True, encrypt=False))
        assert _mends(single, 3400) == {"root": anew}


def test_a_retired_ca_that_has_ended_is_no_fault(authority: Authority) -> None:
    """Another issues in its place: nothing is left to be done."""
    add_ca(_after(authority, 1700), "clients-2", Purpose.CLIENT, encrypt=False)
    retire(authority, "clients", "clients-2")
    lines = check_ends(_after(authority, 1900), ())
    (told,) = (line for line in lines if (line.topic, line.subject) == ("ca", "clients"))
    assert (told.state, told.mend) == (State.OK, None)
    assert told.message.endswith(": ended, and clients-2 issues in its place")


def test_a_revoked_ca_is_told_until_another_issues(authority: Authority) -> None:
    """With what puts another in its place; and that the list above it does not say so without the root's key."""
    authority.keystore.path("root").unlink()
    revoke_ca(authority, "clients", RevocationReason.KEY_COMPROMISE)
    lines = {f"{line.topic} {line.subject}": line for line in check_ends(authority, ())}
    told = lines["ca clients"]
    assert (told.state, "client, revoked 20" in told.message) == (State.ATTENTION, True)
    assert "counterseal ca retire clients --successor clients-2" in (told.mend or "")
    assert lines["list root"].state is State.ATTENTION
    assert lines["list root"].mend == "counterseal crl, with the key of CA root at hand"
    authority.keystore.path("clients").unlink()
    assert _states(check_keys(authority, unlock=False))["key clients"] is State.OK
    assert "list clients" not in _states(check_ends(_after(authority, 9), ()))


def test_keys_that_are_missing_or_open_to_others(authority: Authority) -> None:
    """An offline root is right, a missing issuing key is not, and neither is a key that others can read."""
    paths = {record.name: authority.keystore.path(record.key_id) for record in authority.store.cas()}
    paths["root"].unlink()
    paths["servers"].unlink()
    paths["clients"].chmod(0o644)
    checks = {check.subject: check for check in check_keys(authority, unlock=False)}
    assert {name: check.state for name, check in checks.items()} == {
        "root": State.OK,
        "servers": State.BROKEN,
        "clients": State.BROKEN,
    }
    there = paths["servers"]
    restored = f"ELSEWHERE/keys/{there.name}"
    assert checks["servers"].mend == f"counterseal restore BACKUP --home ELSEWHERE && cp -p {restored} {there}"
    assert checks["clients"].mend == f"chmod 600 {paths['clients']}"


def test_a_key_that_belongs_to_another_ca(authority: Authority) -> None:
    """Both are keys, and only one of them signs what its CA's certificate verifies."""
    servers, clients = (authority.keystore.path(authority.store.ca(name).key_id) for name in ("servers", "clients"))
    clients.write_bytes(servers.read_bytes())
    again = replace(authority, keystore=FileKeyStore(clients.parent, lambda: None))
    lines = {line.subject: line for line in check_keys(again, unlock=False)}
    assert lines["clients"].state is State.BROKEN
    assert "not the one in the certificate" in lines["clients"].message
    assert lines["servers"].state is State.OK


def test_a_store_that_others_can_read_and_a_log_that_was_edited(authority: Authority) -> None:
    """Both are told with what helps."""
    authority.store.path.chmod(0o644)
    with closing(sqlite3.connect(authority.store.path, isolation_level=None)) as intruder:
        for (trigger,) in intruder.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            intruder.execute(f"drop trigger {trigger}")
        intruder.execute("update key_use set actor = 'nobody' where sequence = 2")
    checks = list(check_store(authority, deep=False))
    assert {check.mend for check in checks if check.state is State.ATTENTION} == {f"chmod 600 {authority.store.path}"}
    edited = [check for check in checks if check.topic == "log"]
    assert {check.state for check in edited} == {State.BROKEN}
    assert all(check.mend and check.mend.startswith("counterseal restore BACKUP") for check in edited)


def test_what_is_raised_becomes_a_line() -> None:
    """With every fault of a configuration, and with the hint as what mends it."""

    def fails(error: Exception) -> Iterable[Check]:
        raise error

    faulty = ConfigError(
        "x", "2 faults", findings=[Finding("x", Severity.CRITICAL, "bad", where="sites.a", hint="or b")]
    )
    assert looked("t", lambda: fails(faulty), "mend") == (broken("t", "", "2 faults: sites.a: bad", "or b"),)
    missing = FileError("x", "cannot read", hint="look")
    assert looked("t", lambda: fails(missing), "mend") == (broken("t", "", "cannot read", "look"),)
    hintless = FileError("x", "cannot read")
    assert looked("t", lambda: fails(hintless), "mend") == (broken("t", "", "cannot read", "mend"),)
    full = OSError(28, "No space left on device")
    assert looked("t", lambda: fails(full), "mend") == (
        broken("t", "", "cannot look: no space left on device", "mend"),
    )
    (denied,) = looked("t", lambda: fails(PermissionError(13, "Permission denied", "/a b/c")), "mend")
    assert denied.message == "cannot look: permission denied: /a b/c"
    assert denied.mend == "sudo chown '--reference=/a b' '/a b/c', and run the doctor as that user"


def test_the_worst_line_decides() -> None:
    """Broken before attention before ok; nothing at all is well."""
    assert worst_of([ok("a", "", "")]) is State.OK
    assert worst_of([ok("a", "", ""), attention("b", "", "", "mend")]) is State.ATTENTION
    assert worst_of([broken("a", "", "", "mend"), attention("b", "", "", "mend")]) is State.BROKEN
    assert worst_of([]) is State.OK
