"""The two spellings of a distinguished name, taken apart into keys and values.

What is spelt becomes relative distinguished names in the order of the certificate, each a list of pairs. What the keys
mean and which values they take is not known here. RFC 4514 3 with the quotes of RFC 2253 4, and ``openssl req -subj``.
"""

from __future__ import annotations

import re

from counterseal.errors import InputError
from counterseal.pki.shown import quoted

Pair = tuple[str, str]

MAX_SUBJECT = 4096
_SLASH_PART = re.compile(r"(?P<text>(?:[^\\/+]|\\.)*)(?P<end>[/+]|\Z)", re.DOTALL)
_COMMA_PART = re.compile(r'(?P<text>(?:[^\\",+;<>]|\\.|"(?:[^"\\]|\\.)*")*)(?P<end>[,+]|\Z)', re.DOTALL)
_SLASH_AT_END = re.compile(r"(?P<text>(?:[^\\]|\\.)*)/", re.DOTALL)
_QUOTED = re.compile(r' *"(?P<text>(?:[^"\\]|\\.)*)" *', re.DOTALL)
_UNQUOTED = re.compile(r' *(?P<text>(?:[^\\"]|\\.)*?) *', re.DOTALL)
_UNIT = re.compile(r"(?P<octets>(?:\\[0-9A-Fa-f]{2})+)|\\?(?P<literal>.)", re.DOTALL)


def read_slash(text: str) -> list[list[Pair]]:
    r"""Return what ``/O=example/CN=a+UID=b`` spells, most significant first; raises InputError ``subject.syntax``.

    As in openssl, a backslash takes the next character as it is, ``+`` adds to the name before it, and a slash may
    stand at the end.
    """
    body = text[1:]
    ended = _SLASH_AT_END.fullmatch(body)
    rdns = _split(
        ended["text"] if ended else body, _SLASH_PART, "after a leading slash, write / and + in a value as \\/ \\+"
    )
    return [[(key, re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)) for key, value in rdn] for rdn in rdns]


def read_rfc4514(text: str) -> list[list[Pair]]:
    r"""Return what ``CN=a+UID=b,O=example`` spells, most significant first, which is from the right.

    Specials are written ``\,`` or ``\2C``, other characters also as octets of UTF-8, ``\C3\A9``; a whole value may
    stand in quotes. Raises InputError ``subject.syntax``.
    """
    rdns = _split(text, _COMMA_PART, 'write , + " ; < > and \\ in a value with a backslash before it')
    return [[(key, _value(value)) for key, value in rdn] for rdn in reversed(rdns)]


def _split(text: str, part: re.Pattern[str], hint: str) -> list[list[Pair]]:
    rdns: list[list[Pair]] = [[]]
    position = 0
    while True:
        match = part.match(text, position)
        if match is None:
            raise InputError(
                "subject.syntax", f"subject cannot be read from here: {quoted(text[position:])}", hint=hint
            )
        key, equals, value = match["text"].partition("=")
        if not equals:
            raise InputError("subject.syntax", f"subject has a part without '=': {quoted(match['text'])}", hint=hint)
        rdns[-1].append((key.strip(), value))
        if not match["end"]:
            return rdns
        if match["end"] != "+":
            rdns.append([])
        position = match.end()


def _value(spelt: str) -> str:
    match = _QUOTED.fullmatch(spelt) or _UNQUOTED.fullmatch(spelt)
    if match is None:
        raise InputError(
            "subject.syntax", f"quotes must enclose a whole value: {quoted(spelt)}", hint='write a quote as \\"'
        )
    if match["text"].startswith("#") and match.re is _UNQUOTED:
        raise InputError(
            "subject.syntax",
            f"a value in hexadecimal is not read: {quoted(spelt)}",
            hint="write the text, or \\# for #",
        )
    octets = bytearray()
    for unit in _UNIT.finditer(match["text"]):
        escaped, literal = unit["octets"], unit["literal"]
        octets += bytes.fromhex(escaped.replace("\\", "")) if escaped else literal.encode(errors="surrogatepass")
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        raise InputError("subject.syntax", f"escaped octets are not UTF-8: {quoted(spelt)}") from error
