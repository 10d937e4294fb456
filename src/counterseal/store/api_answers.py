"""Answers of the API kept for a repetition of the request.

Decides that of two that work on the same key at once only one can finish: who finishes must hold the newest attempt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterseal.store.session import Session


@dataclass(frozen=True, slots=True)
class Asked:
    """A key of a caller, and the request that it came with first; both as hashes."""

    caller: str
    key_hash: bytes
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The request of a key, since when it is worked on, and the answer (sealed), None as long as there is none."""

    request_hash: bytes
    begun_at: int
    answer: bytes | None = field(repr=False)


def find_answer(session: Session, asked: Asked) -> KeptAnswer | None:
    """Return what is known of the key."""
    row = session.row(
        "select request_hash, begun_at, answer from api_answer where caller = ? and key_hash = ?",
        (asked.caller, asked.key_hash),
    )
    return None if row is None else KeptAnswer(*row)


def begin_answer(session: Session, asked: Asked, attempt: bytes, at: int, *, abandoned_before: int) -> bool:
    """Take the key for ``attempt`` and say whether.

    It is taken over from one for the same request, begun before that time and without an answer.
    """
    with session.statement():
        return bool(
            session.run(
                "insert into api_answer (caller, key_hash, request_hash, attempt, begun_at) values (?, ?, ?, ?, ?)"
                " on conflict (caller, key_hash) do update set attempt = excluded.attempt, begun_at = excluded.begun_at"
                " where api_answer.request_hash = excluded.request_hash"
                " and api_answer.answer is null and api_answer.begun_at < ?",
                (asked.caller, asked.key_hash, asked.request_hash, attempt, at, abandoned_before),
            )
        )


def complete_answer(session: Session, asked: Asked, attempt: bytes, answer: bytes) -> bool:
    """Keep the answer and say whether the attempt was still the newest."""
    with session.statement():
        return bool(
            session.run(
                "update api_answer set answer = ? where caller = ? and key_hash = ? and attempt = ? and answer is null",
                (answer, asked.caller, asked.key_hash, attempt),
            )
        )


def give_up_answer(session: Session, asked: Asked, attempt: bytes) -> None:
    """Free the key of an attempt that failed."""
    with session.statement():
        session.run(
            "delete from api_answer where caller = ? and key_hash = ? and attempt = ? and answer is null",
            (asked.caller, asked.key_hash, attempt),
        )


def forget_answers(session: Session, before: int, limit: int) -> int:
    """Drop at most ``limit`` keys that were first used before, and return how many."""
    with session.statement():
        return session.run(
            "delete from api_answer where (caller, key_hash) in"
            " (select caller, key_hash from api_answer where begun_at < ? order by begun_at limit ?)",
            (before, limit),
        )
