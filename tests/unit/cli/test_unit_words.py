"""Words as systemd reads them; that it reads them so is tried with a real one (``tests/systemd_machine.sh``)."""

from __future__ import annotations

from pathlib import Path

import pytest

from counterseal.cli.serve_unit import unit_text
from counterseal.cli.unit_words import unit_command, unit_word


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("/var/lib/counterseal", "/var/lib/counterseal"),
        ("/srv/my ca", '"/srv/my ca"'),
        ("/srv/50%n", "/srv/50%%n"),
        ("it's", '"it\'s"'),
        ('a"b\\c', r'"a\"b\\c"'),
        ("two\nlines", r'"two\nlines"'),
    ],
)
def test_a_word_is_read_back_as_it_was(word: str, written: str) -> None:
    """Quoted where it must be, specifiers doubled."""
    assert unit_word(word) == written


def test_no_variable_is_put_into_a_command() -> None:
    """Neither in the arguments nor, where systemd looks for none, in the program."""
    assert unit_command(["/opt/$x/counterseal", "--home", "/srv/$HOME"]) == '"/opt/$x/counterseal" --home "/srv/$$HOME"'


def test_the_service_has_an_odd_home_in_every_setting() -> None:
    """As an argument, and as a path that it may write."""
    unit = unit_text(["/usr/bin/counterseal"], Path("/srv/$a b%"), Path("/etc/50%"))
    assert 'serve --home "/srv/$$a b%%"\n' in unit
    assert '\nReadWritePaths="/srv/$a b%%"\n' in unit
    assert "\nLoadCredential=counterseal-passphrase:/etc/50%%\n" in unit


def test_a_colon_in_the_name_of_the_home_makes_no_link() -> None:
    """For which systemd takes ``StateDirectory=a:b``."""
    unit = unit_text(["/usr/bin/counterseal"], Path("/var/lib/a:b"), None)
    assert "StateDirectory" not in unit
    assert "\nReadWritePaths=/var/lib/a:b\n" in unit
