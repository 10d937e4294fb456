"""The ladder: everything that went between the two sides, in order, each rung with its fields and its meaning."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from counterseal.handshake.answer import parse_response
from counterseal.handshake.explain.fields import fields_of
from counterseal.handshake.explain.meaning import meaning_of
from counterseal.handshake.first_words import SECTIONS, read_first_words
from counterseal.handshake.trace.dial import StartTLS
from counterseal.handshake.wire.messages import Alert, Finished, Marker, ServerHello, Side, message_name
from counterseal.pki.shown import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from counterseal.handshake.explain.fields import Field
    from counterseal.handshake.explain.story import Story
    from counterseal.handshake.trace.dial import Trace
    from counterseal.handshake.wire.decode import Decoded


_TURNING = {
    StartTLS.SMTP: "RFC 3207 4",
    StartTLS.IMAP: "RFC 9051 6.2.1",
    StartTLS.POP3: "RFC 2595 4",
    StartTLS.POSTGRES: "PostgreSQL 55.2.10",
}


class Layer(StrEnum):
    """To which conversation a rung belongs."""

    CLEAR = "clear"
    TLS = "tls"
    APPLICATION = "application"


@dataclass(frozen=True, slots=True)
class Rung:
    """One message: who sent it, its name, its size in bytes, and when, in seconds since the start.

    ``size`` and ``at`` are None for application data, whose records are not looked at;
    ``encrypted`` says whether somebody on the way could read it, ``alarming`` marks a fatal alert.
    """

    sender: Side
    layer: Layer
    name: str
    size: int | None
    at: float | None
    fields: tuple[Field, ...]
    meaning: str
    section: str
    encrypted: bool = False
    alarming: bool = False


def ladder_of(trace: Trace, decoded: Sequence[Decoded], story: Story) -> tuple[Rung, ...]:
    """Return the rungs of a connection: what was said in the clear, the handshake, and the question and answer."""
    finished = trace.finished_at
    hidden = {id(one) for one in encrypted_of(decoded, story)}
    first = [one for one in decoded if finished is None or one.at <= finished]
    before = [_tls(one, story, encrypted=id(one) in hidden) for one in first]
    after = decoded[len(first) :]
    late = [_tls(one, story, encrypted=True) for one in after if not isinstance(one.message, Alert)]
    farewell = [_tls(one, story, encrypted=True) for one in after if isinstance(one.message, Alert)]
    return (*_clear(trace), *before, *_question(trace), *late, *_answer(trace), *farewell)


def encrypted_of(decoded: Sequence[Decoded], story: Story) -> list[Decoded]:
    """Return the messages that nobody on the way can read.

    In TLS 1.3 everything behind the ServerHello (RFC 8446 2), in TLS 1.2 what a side sends behind its ChangeCipherSpec
    (RFC 5246 7.1); the server's is not handed out by OpenSSL, its Finished is the first message behind it.
    """
    found, hidden = [], set[Side]()
    for one in decoded:
        if isinstance(one.message, Marker) and one.message.name == "ChangeCipherSpec":
            hidden |= set() if story.is_tls13 else {one.sender}
            continue
        if isinstance(one.message, Finished):
            hidden.add(one.sender)
        if one.sender in hidden:
            found.append(one)
        if story.is_tls13 and isinstance(one.message, ServerHello) and not one.message.retry:
            hidden |= set(Side)
    return found


def _clear(trace: Trace) -> Iterator[Rung]:
    for ours, line in trace.plain:
        yield Rung(
            Side.CLIENT if ours else Side.SERVER,
            Layer.CLEAR,
            printable(line)[:200],
            None,
            None,
            (),
            "Said in the clear, before TLS.",
            _TURNING[trace.starttls or StartTLS.SMTP],
        )


def _tls(one: Decoded, story: Story, *, encrypted: bool) -> Rung:
    text, section = meaning_of(one, story)
    fatal = isinstance(one.message, Alert) and one.message.fatal
    fields = fields_of(one.message)
    name = message_name(one.message)
    return Rung(one.sender, Layer.TLS, name, one.size, one.at, fields, text, section, encrypted, fatal)


def _question(trace: Trace) -> Iterator[Rung]:
    if trace.question is not None:
        meaning = "The question within TLS: nginx judges the client in HTTP, and TLS 1.3 refuses with the first answer."
        if trace.starttls is not None:
            meaning = (
                "The first words within TLS: nginx and PostgreSQL judge the client there, TLS 1.3 before it answers."
            )
        yield Rung(
            Side.CLIENT, Layer.APPLICATION, trace.question, None, None, (), meaning, "RFC 8446 4.4.2.4", encrypted=True
        )


def _answer(trace: Trace) -> Iterator[Rung]:
    if not trace.answer:
        return
    if trace.protocol == "h2":
        meaning = "The server speaks HTTP/2; pages are asked for over HTTP/1.1, in connections of their own."
        yield Rung(
            Side.SERVER, Layer.APPLICATION, "HTTP/2 frames", len(trace.answer), None, (), meaning, "RFC 9113 3.4",
            encrypted=True,
        )  # fmt: skip
        return
    words = None if trace.starttls is None else read_first_words(trace.starttls, trace.answer)
    if trace.starttls is not None and words is not None:
        name, meaning, section = printable(words.text)[:200], "The server's first words.", SECTIONS[trace.starttls]
        yield Rung(Side.SERVER, Layer.APPLICATION, name, len(trace.answer), None, (), meaning, section, encrypted=True)
        return
    response = parse_response(trace.answer)
    if response is None:
        shown = printable(trace.answer[:60].decode("ascii", "backslashreplace"))
        meaning = "The server answers."
        yield Rung(Side.SERVER, Layer.APPLICATION, shown, len(trace.answer), None, (), meaning, "", encrypted=True)
        return
    name = printable(f"HTTP {response.status} {response.reason_phrase}".strip())
    fields = tuple(
        (label, printable(response.headers[label])[:200])
        for label in ("server", "location")
        if label in response.headers
    )
    size, meaning = len(trace.answer), "The server's verdict."
    yield Rung(Side.SERVER, Layer.APPLICATION, name, size, None, fields, meaning, "RFC 9110 15", encrypted=True)
