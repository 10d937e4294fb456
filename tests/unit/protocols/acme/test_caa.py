"""What CAA records let this CA do."""

from __future__ import annotations

import pytest

from counterseal.protocols.acme.validation.caa import Asking, Record, judge

OURS, OTHER = "ca.example.net", "other.example"
ACCOUNT = "https://ca.example.net/acme/account/1"


def issue(value: str, tag: str = "issue", flags: int = 0) -> Record:
    """Return a record."""
    return flags, tag, value


@pytest.mark.parametrize(
    ("records", "plain", "wildcard"),
    [
        pytest.param([], True, True, id="none"),
        pytest.param([issue(OURS)], True, True, id="ours"),
        pytest.param([issue(OURS.upper())], True, True, id="ours in capitals"),
        pytest.param([issue(OTHER)], False, False, id="another's"),
        pytest.param([issue(OTHER), issue(OURS)], True, True, id="several"),
        pytest.param([issue(";")], False, False, id="nobody's"),
        pytest.param([issue(""), issue("%%%")], False, False, id="no domain"),
        pytest.param([issue(f"not.{OURS}")], False, False, id="below ours"),
        pytest.param([issue(OURS), issue(";", "issuewild")], True, False, id="no wildcards"),
        pytest.param([issue(";"), issue(OURS, "issuewild")], False, True, id="wildcards alone"),
        pytest.param([issue(";", "issuewild")], True, False, id="nothing said of plain names"),
        pytest.param([issue("mailto:a@b.test", "iodef")], True, True, id="only whom to tell"),
        pytest.param([issue("x", "unheard")], True, True, id="unknown"),
        pytest.param([issue(OURS), issue("x", "unheard", 128)], False, False, id="unknown and critical"),
        pytest.param([issue(OURS, flags=128)], True, True, id="known and critical"),
        pytest.param([issue(f"{OURS}; validationmethods=http-01,dns-01")], True, True, id="this challenge"),
        pytest.param([issue(f"{OURS}; validationmethods=http-01")], False, False, id="another challenge"),
        pytest.param([issue(f"{OURS}; accounturi={ACCOUNT}")], True, True, id="this account"),
        pytest.param([issue(f"{OURS};accounturi={ACCOUNT}2")], False, False, id="another account"),
        pytest.param([issue(f"{OURS}; accounturi=x; accounturi={ACCOUNT}")], False, False, id="two accounts"),
        pytest.param([issue(f"{OURS}; accounturi = {ACCOUNT}")], True, True, id="this account, with blanks"),
        pytest.param([issue(f"{OURS};\taccounturi\t=\t{ACCOUNT}2")], False, False, id="another account, with blanks"),
        pytest.param([issue(f"{OURS}; AccountURI={ACCOUNT}2")], False, False, id="another account, in capitals"),
        pytest.param(
            [issue(f"{OURS}; validationmethods = http-01")], False, False, id="another challenge, with blanks"
        ),
        pytest.param([issue(f"{OURS} ;")], True, True, id="a semicolon and nothing"),
        pytest.param([issue(f"{OURS}; account=1")], True, True, id="what another CA would read"),
        pytest.param([issue(f"{OURS}; accounturi")], False, False, id="a parameter without a value"),
        pytest.param([issue(f"{OURS}; accounturi={ACCOUNT} x")], False, False, id="a value with a blank"),
        pytest.param([issue(f"{OURS}; account_uri={ACCOUNT}")], False, False, id="no tag"),
        pytest.param([issue(f"{OURS}; accounturi={ACCOUNT};")], False, False, id="nothing after a parameter"),
        pytest.param([issue(f"{OURS}; policy=\ufffd")], False, False, id="ours, but no value"),
        pytest.param([issue("\ufffd"), issue(OURS)], True, True, id="no value beside ours"),
        pytest.param([issue(OURS), issue("\ufffd", "issuewild")], True, False, id="no value for wildcards"),
        pytest.param([issue(f"{OTHER}; accounturi={ACCOUNT}")], False, False, id="this account elsewhere"),
    ],
)
def test_who_may_issue(records: list[Record], plain: bool, wildcard: bool) -> None:  # noqa: FBT001 - a table
    """RFC 8659 4, 8657 3 and 4."""
    for is_wildcard, expected in ((False, plain), (True, wildcard)):
        asking = Asking((OURS,), "a.test", is_wildcard, ACCOUNT, "dns-01")
        failure = judge(records, asking, "a.test")
        assert (failure is None) == expected
