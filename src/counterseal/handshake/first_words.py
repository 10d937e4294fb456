"""What a server of SMTP, IMAP, POP3 or PostgreSQL says first inside TLS, and whether it lets this client go on.

nginx's mail proxy judges a client there as it does in HTTP, with a line in place of a page (ngx_mail_handler.c), and
PostgreSQL with ``clientcert`` in pg_hba.conf by an ErrorResponse. RFC 5321 4.2, RFC 9051 7.1, RFC 1939 3,
PostgreSQL 55.7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from counterseal.handshake.trace.dial import StartTLS

Decision = Literal["admitted", "refused"]
SECTIONS = {
    StartTLS.SMTP: "RFC 5321 4.2",
    StartTLS.IMAP: "RFC 9051 7.1",
    StartTLS.POP3: "RFC 1939 3",
    StartTLS.POSTGRES: "PostgreSQL 55.7",
}
_NGINX = (("No required SSL certificate", 496, "NONE"), ("SSL certificate error", 495, "FAILED"))
_AUTHENTICATION = {
    0: "AuthenticationOk",
    3: "AuthenticationCleartextPassword",
    5: "AuthenticationMD5Password",
    7: "AuthenticationGSS",
    9: "AuthenticationSSPI",
    10: "AuthenticationSASL",
}
_BY_STATE: dict[str, Decision] = {
    "28000": "refused",  # invalid_authorization_specification
    "28P01": "refused",  # invalid_password
    "3D000": "admitted",  # invalid_catalog_name: the database is looked for behind the client
}
"""What PostgreSQL's states (appendix A) say of the client; by any other nobody is judged."""


@dataclass(frozen=True, slots=True)
class FirstWords:
    """The answer in one line; ``decision`` None where it says neither; ``code`` and ``verify`` nginx's, as in HTTP."""

    text: str
    decision: Decision | None = None
    code: int | None = None
    verify: str | None = None


def read_first_words(protocol: StartTLS, raw: bytes) -> FirstWords | None:
    """Return what ``raw`` says, None when it is empty."""
    if not raw:
        return None
    if protocol is StartTLS.POSTGRES:
        return _postgres(raw)
    lines = raw.decode("ascii", "backslashreplace").splitlines() or [""]
    found = next(((code, verify) for words, code, verify in _NGINX if words in lines[0]), None)
    if found is not None:
        return FirstWords(lines[0], "refused", *found)
    return FirstWords(lines[0], _decision(protocol, lines))


def _decision(protocol: StartTLS, lines: list[str]) -> Decision | None:
    if protocol is StartTLS.SMTP:
        return {"2": "admitted", "4": "refused", "5": "refused"}.get(lines[0][:1])  # type: ignore[return-value] # mypy widens the values
    if protocol is StartTLS.POP3:
        return {"+OK": "admitted", "-ERR": "refused"}.get(lines[0].partition(" ")[0])  # type: ignore[return-value] # same
    if any(line.startswith(("* BYE", "a2 NO", "a2 BAD")) for line in lines):
        return "refused"
    return "admitted" if lines[0].startswith(("* CAPABILITY", "a2 OK")) else None


def _postgres(raw: bytes) -> FirstWords:
    """Read the first message: one byte of kind, four of length, and what is in it."""
    body = raw[5 : 1 + int.from_bytes(raw[1:5])]
    if raw[:1] == b"R":
        number = int.from_bytes(body[:4])
        return FirstWords(_AUTHENTICATION.get(number, f"Authentication {number}"), "admitted")
    if raw[:1] != b"E":
        return FirstWords(f"a message of kind {raw[:1]!r}")
    fields = {part[:1]: part[1:].decode("utf-8", "replace") for part in body.split(b"\x00") if part}
    state, message = fields.get(b"C", ""), fields.get(b"M", "")
    text = f"ErrorResponse {fields.get(b'V') or fields.get(b'S', '')} {state}: {message}"
    return FirstWords(text, _BY_STATE.get(state))
