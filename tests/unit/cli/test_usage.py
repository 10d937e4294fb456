"""A mistyped command line is answered in our words, with what was probably meant."""

from __future__ import annotations

import pytest

from counterseal.cli.run import run


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (
            ["revok", "alice"],
            ["error: no such command: 'revok'", "hint: did you mean 'revoke' or 'unrevoke' or 'rekey'?"],
        ),
        (["nginx", "deply"], ["error: no such command: 'deply'", "hint: did you mean 'deploy'?"]),
        (["listen", "abc"], ["'PORT': 'abc' is not a whole number\n", "hint: as in: counterseal listen 8443\n"]),
        (["handshake", "x", "--timeout", "soon"], ["invalid value for '--timeout': 'soon' is not a number\n"]),
        (
            ["handshake", "x", "443"],
            ["unexpected extra argument (443)\n", "hint: a port stands behind a colon: HOST:443"],
        ),
        (["xyz"], ["error: no such command: 'xyz'", "hint: see: counterseal --help"]),
        (["list", "--stats", "valid"], ["error: no such option: '--stats'", "hint: did you mean '--status'?"]),
        (["--home", "x", "list"], ["hint: it stands behind the command: counterseal COMMAND --home"]),
        (["nginx", "--json", "status"], ["hint: it stands behind the command: counterseal nginx COMMAND --json"]),
        (["show"], ["error: missing: NAME|SERIAL", "hint: as in: counterseal show alice\n"]),
        (["ca", "add", "x"], ["error: missing: --purpose", "as in: counterseal ca add partners --purpose client"]),
        (["sign", "x"], ["error: missing: --profile", "hint: as in: counterseal sign panel.csr --profile server"]),
        (["build-ca"], ["error: no such command: 'build-ca'", "hint: here it is: counterseal init"]),
        (
            ["ca", "issue"],
            ["error: no such command: 'issue'", "hint: here it is: counterseal server NAME"],
        ),
        (["ca", "xyz"], ["error: no such command: 'xyz'", "hint: see: counterseal ca --help"]),
        (["ca", "init"], ["hint: here it is: counterseal init, counterseal ca add NAME\n"]),
        (["certificate", "create", "x"], ["hint: here it is: counterseal server NAME, counterseal client NAME\n"]),
        (["certificate", "x.pem"], ["hint: here it is: counterseal inspect FILE\n"]),
        (["gen-req", "x"], ["hint: here it is: counterseal client NAME, counterseal server NAME\n"]),
        (["vrsion"], ["hint: here it is: counterseal --version\n"]),
        (["nginx", "reload"], ["hint: here it is: counterseal nginx deploy, which"]),
        (["server", "localhost", "127.0.0.1"], ["argument (127.0.0.1)\n", "hint: write --san 127.0.0.1\n"]),
        (["server", "a.test", "b.test", "c.test"], ["hint: write --san b.test --san c.test\n"]),
        (["nginx", "rollback", "1"], ["argument (1)\n", "hint: write --to 1\n"]),
        (
            ["client", "alice", "bob"],
            [
                "error: got unexpected extra argument (bob)\n",
                "hint: one at a time: counterseal client bob, or for many: counterseal client --batch FILE.csv\n",
            ],
        ),
        (["revoke", "alice", "bob"], ["hint: one at a time: counterseal revoke bob\n"]),
        (["list", "alice"], ["error: got unexpected extra argument (alice)\n"]),
        (["client"], ["error: give the NAME of a client", "hint: as in: counterseal client alice\n"]),
        (["renew"], ["error: give the NAME or serial", "hint: as in: counterseal renew panel.example.com --force\n"]),
        (["init", "--name-constraint", "x"], ["hint: here it is --permit\n"]),
        (["server", "x", "--days", "3"], ["error: no such option: '--days'", "hint: here it is --lifetime"]),
        (["list", "--days", "3"], ["error: no such option: '--days'", "hint: see: counterseal list --help"]),
        (["init", "--lifetime"], ["error: option '--lifetime' requires an argument", "hint: write --lifetime "]),
        (["list", "--expiring"], ["requires an argument", "hint: as in: counterseal list --expiring 30d\n"]),
        (["revoke", "x", "--reason", "keyCompromise"], ["hint: did you mean 'key_compromise'?"]),
        (["revoke", "x", "--reason", "remove_from_crl"], ["error: invalid value for '--reason': 'remove_from_crl'"]),
        (["export", "x", "--format", "pkcs12"], ["hint: did you mean 'p12'?"]),
        (["export", "x", "--format", "PFX"], ["hint: here it is p12"]),
        (
            ["list", "--expiring", "30"],
            [
                "error: invalid value for '--expiring': not a length of time: '30'\n",
                "hint: write a number and a unit, as in 90d, 12h or 30m",
            ],
        ),
    ],
)
def test_a_typing_mistake_is_named(words: list[str], lines: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, nothing on stdout, and the usage above it."""
    assert run(words) == 2
    told = capsys.readouterr()
    assert not told.out or "--json" in words
    assert all(line in told.err for line in lines), told.err


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("compromise", "'key_compromise' or 'ca_compromise' or 'aa_compromise'"), ("hold", "'certificate_hold'")],
)
def test_a_part_of_a_word_is_not_guessed(typed: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each that has it is named: the nearest by its letters was the CA's compromise, for a client's."""
    assert run(["revoke", "x", "--reason", typed]) == 2
    assert f"hint: did you mean {meant}?\n" in capsys.readouterr().err


def test_another_version_is_no_slip_of_the_hand(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody who asks for TLS 1.1 meant another one."""
    assert run(["handshake", "x", "--tls", "1.1"]) == 2
    told = capsys.readouterr().err
    assert "error: invalid value for '--tls': '1.1' is not one of '1.2', '1.3'\n" in told
    assert "hint" not in told


@pytest.mark.parametrize("words", [[], ["nginx"], ["ca"]])
def test_a_command_without_words_shows_its_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """And calls it no error."""
    assert run(words) == 2
    told = capsys.readouterr().err
    assert told.startswith("Usage: counterseal")
    assert "error:" not in told
