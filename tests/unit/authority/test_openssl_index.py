"""What openssl and easy-rsa keep, read as it stands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from counterseal.authority.openssl_index import common_name_in, find_certificate, parse_index
from counterseal.errors import InputError
from counterseal.pki.crl import RevocationReason

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("/C=DE/O=example/CN=ann", "ann"),
        ("/CN=ann/emailAddress=ann@example.com", "ann"),
        ("/CN=HTTP/www.example.com", "HTTP/www.example.com"),
        ("/O=SCN=x", None),
        ("/CN=", None),
    ],
)
def test_the_common_name_ends_where_the_next_attribute_begins(subject: str, name: str | None) -> None:
    """A slash alone is part of it."""
    assert common_name_in(subject) == name


@pytest.mark.parametrize(
    ("reason", "meant"),
    [
        ("", RevocationReason.UNSPECIFIED),
        (",keyCompromise", RevocationReason.KEY_COMPROMISE),
        (",keyTime,20261101000000Z", RevocationReason.KEY_COMPROMISE),
        (",CAkeyTime,20261101000000Z", RevocationReason.CA_COMPROMISE),
        (",holdInstruction,holdInstructionNone", RevocationReason.CERTIFICATE_HOLD),
    ],
)
def test_a_reason_is_read_with_what_follows_it(reason: str, meant: RevocationReason) -> None:
    """``openssl ca`` puts since when a key was known, or what to do while a certificate is held, behind the reason."""
    (entry,) = parse_index(f"R\t361127000000Z\t261127000000Z{reason}\t0A\tunknown\t/CN=ann\n")
    assert (entry.revoked_at, entry.reason) == (datetime(2026, 11, 27, tzinfo=UTC), meant)


@pytest.mark.parametrize(("number", "name"), [(0x0A, "0A"), (0x1FF, "01FF")])
def test_a_certificate_is_found_by_whole_octets(tmp_path: Path, number: int, name: str) -> None:
    """In the directory of either program."""
    assert find_certificate(tmp_path, number) is None
    path = tmp_path / "certs_by_serial" / f"{name}.pem"
    path.parent.mkdir()
    path.touch()
    assert find_certificate(tmp_path, number) == path


def test_a_line_ends_at_a_line_feed_alone() -> None:
    """Whatever else stands in a subject, which a terminal would act on, and with the line ends of Windows."""
    line = "V\t361127000000Z\t\t{}\tunknown\t/CN=a\u2028b\x0b\r\n"
    assert [entry.subject for entry in parse_index(line.format("0A") + line.format("0B"))] == [
        r"/CN=a\E2\80\A8b\0B"
    ] * 2


@pytest.mark.parametrize(
    ("serials", "said"),
    [
        (("0A", "0B", "0a"), "serial number stands in lines 1 and 3 of index.txt: 0A"),
        (("-5",), "not a line of openssl's index.txt: line 1"),
        (("1_0",), "not a line of openssl's index.txt: line 1"),
        (("F" * 41,), "not a line of openssl's index.txt: line 1"),
        (("F" * 100_000,), "not a line of openssl's index.txt: line 1"),
    ],
)
def test_a_serial_number_that_cannot_be_is_refused_with_its_line(serials: tuple[str, ...], said: str) -> None:
    """Before a file of this name is looked for; the message is short."""
    with pytest.raises(InputError, match=said) as caught:
        parse_index("".join(f"V\t361127000000Z\t\t{serial}\tunknown\t/CN=ann\n" for serial in serials))
    assert (caught.value.code, len(caught.value.message) < 120) == ("import.index", True)
