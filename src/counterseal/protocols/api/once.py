"""Idempotency keys: the same key with the same request is done once, and answered the same for a day.

The key is taken in the very transaction that reserves the serial number, and the answer kept in the one that records
the certificate; so after a crash a repetition either finds the answer, or nothing was issued and it begins anew.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Self

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from counterseal.errors import InputError, RefusedError, StoreError
from counterseal.moments import epoch
from counterseal.protocols.api.wishes import Kept
from counterseal.store.api_answers import (
    Asked,
    begin_answer,
    complete_answer,
    find_answer,
    forget_answers,
    give_up_answer,
)

if TYPE_CHECKING:
    from counterseal.authority.parts import Authority
    from counterseal.protocols.api.operation import Call
    from counterseal.service.parts import Service
    from counterseal.store.api_answers import KeptAnswer

KEPT_SECONDS = 24 * 3600
ABANDONED_SECONDS = 30
"""Work of which nothing was heard for so long belongs to a process that ended; a repetition takes it over."""

WAITED_SECONDS, PAUSE = 5.0, 0.05
STEP = 500
NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to do what a key stands for."""

    asked: Asked
    attempt: bytes
    now: int
    key: bytes = field(repr=False)
    nonce: bytes = field(repr=False)

    @classmethod
    def of(cls, call: Call) -> Self | None:
        """Return the attempt of a request with a key; None without one."""
        if call.idempotency_key is None:
            return None
        service = call.parts.service
        asked = Asked(
            call.caller.identity, sha256(call.idempotency_key.encode()).digest(), sha256(call.request).digest()
        )
        key = service.key(f"api answer {call.idempotency_key}")
        return cls(asked, service.random_bytes(16), epoch(service.clock()), key, service.random_bytes(NONCE_BYTES))

    async def answered(self, service: Service) -> Kept | None:
        """Return what was answered before, waiting a little for one that is under way; None where all is to be done.

        Raises InputError ``idempotency.other_request``, RefusedError ``idempotency.under_way``.
        """
        deadline = asyncio.get_running_loop().time() + WAITED_SECONDS
        while True:
            found = await service.access.read(lambda authority: find_answer(authority.store, self.asked))
            if found is None:
                return None
            self._require_same(found)
            if self._is_abandoned(found):
                return None
            if found.answer is not None:
                return self._open(found.answer)
            if asyncio.get_running_loop().time() > deadline:
                raise _under_way()
            await asyncio.sleep(PAUSE)

    def begin(self, authority: Authority) -> None:
        """Take the key; raises, where somebody else has it, what ``answered`` does."""
        before = self.now - ABANDONED_SECONDS
        if not begin_answer(authority.store, self.asked, self.attempt, self.now, abandoned_before=before):
            found = find_answer(authority.store, self.asked)
            if found is not None:
                self._require_same(found)
            raise _under_way()

    def complete(self, authority: Authority, kept: Kept) -> None:
        """Keep the answer; raises StoreError where another attempt has taken over, which undoes what this one did."""
        sealed = self.nonce + AESGCM(self.key).encrypt(self.nonce, msgspec.json.encode(kept), self.asked.request_hash)
        if not complete_answer(authority.store, self.asked, self.attempt, sealed):
            raise StoreError("idempotency.lost", f"another attempt has taken over: {self.asked.caller}")

    def give_up(self, authority: Authority) -> None:
        """Free the key."""
        give_up_answer(authority.store, self.asked, self.attempt)

    def _require_same(self, found: KeptAnswer) -> None:
        if found.request_hash != self.asked.request_hash:
            raise InputError(
                "idempotency.other_request",
                "this Idempotency-Key came with another request before",
                hint="draw a new key for every new request",
            )

    def _is_abandoned(self, found: KeptAnswer) -> bool:
        return found.answer is None and found.begun_at < self.now - ABANDONED_SECONDS

    def _open(self, sealed: bytes) -> Kept:
        try:
            content = AESGCM(self.key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self.asked.request_hash)
        except InvalidTag:
            raise StoreError("idempotency.sealed", f"a kept answer cannot be opened: {self.asked.caller}") from None
        return msgspec.json.decode(content, type=Kept)


def forget_old(authority: Authority) -> int:
    """Drop some of the answers that are a day old."""
    return forget_answers(authority.store, epoch(authority.clock()) - KEPT_SECONDS, STEP)


def _under_way() -> RefusedError:
    return RefusedError(
        "idempotency.under_way", "the first request with this Idempotency-Key is still under way", hint="try again"
    )
