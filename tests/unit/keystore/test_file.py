"""CA keys as files: who may read them, and when a passphrase is asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from counterseal.errors import CountersealError, RefusedError
from counterseal.keystore.file import FileKeyStore
from counterseal.pki.keys import parse_key_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SPEC = parse_key_spec("ed25519")


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """Let a file that is made without a mode be readable by everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def store(directory: Path, passphrase: bytes | None = None) -> FileKeyStore:
    """Return the key store in ``directory``."""
    return FileKeyStore(directory / "keys", lambda: passphrase)


def code(action: Callable[[], object]) -> str:
    """Return the code with which an action is refused."""
    with pytest.raises(CountersealError) as caught:
        action()
    return caught.value.code


def test_a_key_is_kept_for_its_owner_and_never_replaced(tmp_path: Path) -> None:
    """Its directory, too; the umask does not matter."""
    first = store(tmp_path).create("root", SPEC, encrypt=False)
    path = store(tmp_path).path("root")
    assert [at.stat().st_mode & 0o777 for at in (path, path.parent)] == [0o600, 0o700]
    assert code(lambda: store(tmp_path).create("root", SPEC, encrypt=False)) == "file.exists"
    assert store(tmp_path).signer("root").public_key == first.public_key


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o604, 0o602, 0o610])
def test_a_key_that_others_may_touch_is_not_used(tmp_path: Path, mode: int) -> None:
    """Neither to sign with nor to look at."""
    store(tmp_path).create("root", SPEC, encrypt=False)
    store(tmp_path).path("root").chmod(mode)
    assert code(lambda: store(tmp_path).signer("root")) == "key.mode"
    assert code(lambda: store(tmp_path).is_encrypted("root")) == "key.mode"


def test_a_passphrase_is_asked_for_once_and_only_where_it_is_needed(tmp_path: Path) -> None:
    """A wrong one opens nothing, and nothing of the key is readable without it."""
    asked: list[int] = []

    def ask() -> bytes:
        asked.append(1)
        return b"correct horse"

    keys = FileKeyStore(tmp_path / "keys", ask)
    keys.create("plain", SPEC, encrypt=False)
    assert asked == []
    made = {name: keys.create(name, SPEC, encrypt=True) for name in ("one", "two")}
    assert [keys.is_encrypted(name) for name in ("plain", "one", "two")] == [False, True, True]
    again = FileKeyStore(tmp_path / "keys", ask)
    assert {name: again.signer(name).public_key for name in made} == {n: one.public_key for n, one in made.items()}
    assert len(asked) == 2
    assert code(lambda: store(tmp_path, b"battery staple").signer("one")) == "key.passphrase_wrong"
    assert code(lambda: store(tmp_path).signer("one")) == "key.passphrase_missing"
    assert store(tmp_path).signer("plain").public_key == keys.signer("plain").public_key


def test_a_guard_comes_before_every_kept_key(tmp_path: Path) -> None:
    """And a key that is away is told from one that may not be used."""
    store(tmp_path).create("root", SPEC, encrypt=False)

    def refuse() -> None:
        raise RefusedError("clock.back", "the clock is wrong")

    guarded = FileKeyStore(tmp_path / "keys", lambda: None, refuse)
    assert code(lambda: guarded.signer("root")) == "clock.back"
    assert code(lambda: store(tmp_path).signer("offline")) == "key.missing"


def test_a_rehearsal_leaves_nothing_and_an_unused_key_is_not_lost(tmp_path: Path) -> None:
    """What is planned is what would be written."""
    keys = store(tmp_path)
    _, planned = keys.rehearse("root", SPEC, encrypt=True)
    assert (planned.path, planned.mode, keys.has("root")) == ("root.key.pem", 0o600, False)
    assert b"ENCRYPTED" in planned.content
    keys.create("root", SPEC, encrypt=False)
    content = keys.path("root").read_bytes()
    keys.set_aside("root")
    assert not keys.has("root")
    assert (tmp_path / "keys" / "root.key.pem.unused").read_bytes() == content
