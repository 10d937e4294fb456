"""What a person reads on the terminal."""

from __future__ import annotations

from dataclasses import replace

from counterseal.cli.ladders import show_sheet
from counterseal.handshake.explain.matching import Match
from explained import shown


def test_a_ladder_is_read_from_top_to_bottom() -> None:
    """Heading, messages with direction, size, time and section, the keys, and at the end what failed and the fix."""
    text = show_sheet(shown("nginx-1.3-mutual"))
    lines = text.splitlines()
    assert lines[0] == "panel.prove.test at 192.0.2.1:443: TLS 1.3, TLS_AES_256_GCM_SHA384, x25519, ALPN http/1.1"
    assert lines[2] == "  1  --> ClientHello              512 bytes     0.0 ms"
    assert "  2  <-- ServerHello              122 bytes     1.0 ms" in lines
    assert "[RFC 8446 4.1.3]" in " ".join(text.split())
    order = [
        "ClientHello",
        "CertificateVerify",
        "both sides derive",
        "what a client checks",
        "mutual TLS",
        "failed: nginx",
    ]
    assert sorted(order, key=text.index) == order
    assert max(map(len, lines)) <= 110


def test_long_lists_and_passed_checks_are_folded_until_asked_for() -> None:
    """The suites beyond the first, and the checks that every certificate passes."""
    short, whole = show_sheet(shown("nginx-1.3-mutual")), show_sheet(shown("nginx-1.3-mutual"), verbose=True)
    assert "and 14 more" in short
    assert "(--verbose shows them)" in short
    assert "TLS_EMPTY_RENEGOTIATION_INFO_SCSV" not in short
    assert "TLS_EMPTY_RENEGOTIATION_INFO_SCSV" in whole
    assert whole.count("ok   version: ") == 4  # two certificates of either side


def test_brief_is_a_line_a_message_and_what_did_not_pass() -> None:
    """The same messages, no fields and no passed checks, and the whole verdict."""
    whole, brief = show_sheet(shown("nginx-1.3-mutual")), show_sheet(shown("nginx-1.3-mutual"), brief=True)
    messages = [line for line in whole.splitlines() if "-->" in line or "<--" in line]
    lines = brief.splitlines()
    assert lines[2 : 2 + len(messages)] == messages
    assert "  ok   " not in brief
    assert whole.endswith(brief[brief.index("mutual TLS") :])


def test_a_fatal_alert_is_marked() -> None:
    """And nothing is said of keys that never were."""
    text = show_sheet(shown("nginx-1.3-unknown-name"))
    assert "  2 !<-- Alert " in text
    assert "alert: unrecognized_name (112), fatal" in text
    assert "derive" not in text


def test_own_certificates_say_why_they_do_not_match() -> None:
    """And how many there are beside those that are shown."""
    match = Match("old", "CN=old", fits=False, offered_by_browser=False, reasons=("its CA is not among them",))
    text = show_sheet(replace(shown("nginx-1.3-mutual"), matches=(match,), more_matches=3))
    assert "  old (CN=old): does not fit; a browser would not even offer it\n    - its CA is not among them\n" in text
    assert "  and 3 more (--json has them all)" in text
