"""A sealed stream opens whole and in order, or not at all."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from counterseal.authority import sealed
from counterseal.errors import KeyAccessError

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[list[bytes]], list[bytes]]

HEAD = len(sealed.MAGIC) + 16 + 7
"""The magic, the salt and what all nonces begin with."""
CHUNK, TAG = 8, 16
CONTENT = b"firstonesecondlyto third"
PASSPHRASE = b"a passphrase"


KEY_OF = cache(sealed._key)
"""The key is made slowly on purpose, and here of the same passphrase and salt each time."""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make three chunks of little."""
    monkeypatch.setattr(sealed, "CHUNK", CHUNK)
    monkeypatch.setattr(sealed, "_key", KEY_OF)


def seal(content: bytes = CONTENT) -> bytes:
    """Return the content sealed."""
    target = BytesIO()
    sealed.seal(BytesIO(content), target, PASSPHRASE, random_bytes=lambda size: b"\x07" * size)
    return target.getvalue()


def unseal(content: bytes, passphrase: bytes = PASSPHRASE) -> bytes:
    """Return what was sealed."""
    target = BytesIO()
    sealed.unseal(BytesIO(content), target, passphrase)
    return target.getvalue()


@pytest.mark.parametrize("content", [b"", b"short", CONTENT[: 2 * CHUNK], CONTENT, CONTENT + b"!"])
def test_what_was_sealed_comes_back(content: bytes) -> None:
    """Also nothing, and what ends where a chunk does."""
    assert unseal(seal(content)) == content


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(lambda chunks: chunks[:2], "backup.damaged", id="cut where a chunk ends"),
        pytest.param(lambda chunks: [*chunks[:2], chunks[2][:-1]], "backup.damaged", id="cut"),
        pytest.param(lambda chunks: [chunks[0], chunks[2], chunks[1]], "backup.damaged", id="swapped"),
        pytest.param(lambda chunks: [*chunks[:2], *chunks[1:]], "backup.damaged", id="repeated"),
        pytest.param(lambda chunks: [chunks[0], chunks[2]], "backup.damaged", id="one left out"),
        pytest.param(lambda chunks: [*chunks, chunks[2]], "backup.damaged", id="something after the end"),
        pytest.param(lambda chunks: chunks[1:], "backup.passphrase", id="without its beginning"),
        pytest.param(
            lambda chunks: [bytes([chunks[0][0] ^ 1]) + chunks[0][1:], *chunks[1:]], "backup.passphrase", id="a bit"
        ),
        pytest.param(lambda _: [], "backup.passphrase", id="nothing but the head"),
    ],
)
def test_what_was_changed_does_not_open(change: Change, code: str) -> None:
    """A chunk opens at its own place only, and the last one as the last."""
    whole = seal()
    chunks = [whole[start : start + CHUNK + TAG] for start in range(HEAD, len(whole), CHUNK + TAG)]
    with pytest.raises(KeyAccessError) as caught:
        unseal(whole[:HEAD] + b"".join(change(chunks)))
    assert caught.value.code == code


def test_neither_does_another_passphrase_or_another_file() -> None:
    """Nothing of it is written."""
    for content, passphrase, code in (
        (seal(), b"another", "backup.passphrase"),
        (b"x" + seal(), PASSPHRASE, "backup.format"),
    ):
        with pytest.raises(KeyAccessError) as caught:
            unseal(content, passphrase)
        assert caught.value.code == code
