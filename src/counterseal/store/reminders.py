"""What was reminded of: marks that only go forward, so that nothing is told twice without a row a certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from counterseal.store.session import Session

TURN = "turn"
_SET = (
    "insert into reminder (channel, topic, reached) values (?, ?, ?)"
    " on conflict (channel, topic) do update set reached = excluded.reached where reminder.reached < ?"
)


def reminder_marks(session: Session, channel: str) -> dict[str, int]:
    """Return how far this channel has been reminded, by topic."""
    return dict(session.rows("select topic, reached from reminder where channel = ? and topic <> ?", (channel, TURN)))


def set_reminder_marks(session: Session, channel: str, marks: Mapping[str, int]) -> None:
    """Note that everything up to these marks was told, together; a mark never goes back."""
    with session.transaction():
        session.run_many(_SET, [(channel, topic, reached, reached) for topic, reached in marks.items()])


def share_reminder_marks(session: Session, channel: str, receivers: Iterable[str]) -> None:
    """Give each of these the marks of the channel as a whole, which it has of a time when nobody had his own; once."""
    if marks := reminder_marks(session, channel):
        with session.transaction():
            for receiver in receivers:
                set_reminder_marks(session, receiver, marks)
            session.run("delete from reminder where channel = ? and topic <> ?", (channel, TURN))


def take_turn(session: Session, channel: str, *, at: int, until: int) -> bool:
    """Take the turn to send, unless somebody else has it; say whether it was taken. It ends by itself at ``until``."""
    with session.statement():
        return bool(session.run(_SET, (channel, TURN, until, at)))


def end_turn(session: Session, channel: str) -> None:
    """Give the turn back."""
    with session.statement():
        session.run("delete from reminder where channel = ? and topic = ?", (channel, TURN))
