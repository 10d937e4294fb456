"""The error log: what is a failure, whose line it is, and reading only what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.nginx.errorlog import LogTail, explain_bind, find_failure, parse_lines

if TYPE_CHECKING:
    from pathlib import Path

STAMP = "2026/08/25 10:00:00"
BIND = f"{STAMP} [emerg] 10#10: bind() to 127.0.0.1:1 failed (98: Address already in use)"
LOST = f"{STAMP} [alert] 10#10: worker process 11 exited with fatal code 2 and cannot be respawned"
GIVEN_UP = f"{STAMP} [emerg] 10#10: still could not bind()"


def test_a_line_is_taken_apart_in_both_of_nginx_s_forms() -> None:
    """The log has a time and a process number, standard error has neither; talk that is no log line is left out."""
    told = parse_lines(f'{STAMP} [warn] 7#7: *3 odd\nnginx: [emerg] unknown directive "x"\nnginx: test failed\n')
    assert [(line.level, line.pid, line.text) for line in told] == [
        ("warn", 7, "odd"),
        ("emerg", None, 'unknown directive "x"'),
    ]


@pytest.mark.parametrize(
    ("log", "quoted"),
    [
        (BIND, None),
        (f"{BIND}\n{GIVEN_UP}", BIND),
        (f"{STAMP} [emerg] 99#99: of another master", None),
        (f"{STAMP} [alert] 11#11: chdir() failed\n{LOST}", "chdir() failed"),
        (f"{STAMP} [alert] 10#10: worker process 11 exited on signal 9", "exited on signal 9"),
        (f"{STAMP} [emerg] 10#10: unknown directive", "unknown directive"),
        (f"{STAMP} [alert] 10#10: worker process 55 exited on signal 9", None),
        (f"{STAMP} [warn] 10#10: duplicate", None),
    ],
    ids=[
        "bind retried",
        "bind given up",
        "another master",
        "lost at its start",
        "lost",
        "refused",
        "old lost",
        "warning",
    ],
)
def test_only_a_last_word_of_our_master_or_new_workers_is_a_failure(log: str, quoted: str | None) -> None:
    """A port that is tried again, another nginx and an old worker do not count."""
    found = find_failure(parse_lines(log), master=10, old={55})
    assert (found is None) if quoted is None else (found is not None and quoted in found.verbatim)


def test_only_what_is_written_later_is_read_and_only_whole_lines(tmp_path: Path) -> None:
    """What stood in the log before is no news, and half a line waits for its other half."""
    log = tmp_path / "error.log"
    log.write_text(f"{BIND}\n")
    tail = LogTail(log)
    with log.open("a") as stream:
        stream.write(GIVEN_UP)
    assert tail.read() == ()
    with log.open("a") as stream:
        stream.write("\n")
    assert [line.verbatim for line in tail.read()] == [GIVEN_UP]
    assert tail.read() == ()


def test_a_log_rotated_or_made_later_is_read_from_its_beginning(tmp_path: Path) -> None:
    """A new file under the same name is new from its first line; no file at all is no failure."""
    log = tmp_path / "error.log"
    tail = LogTail(log)
    assert tail.read() == ()
    log.write_text(f"{BIND}\n")
    assert [line.verbatim for line in tail.read()] == [BIND]
    log.rename(tmp_path / "error.log.1")
    log.write_text(f"{GIVEN_UP}\n")
    assert [line.verbatim for line in tail.read()] == [GIVEN_UP]
    assert LogTail(None).read() == ()


TAKEN = "cause: another program listens there"
EMERG = "nginx: [emerg] bind() to"


@pytest.mark.parametrize(
    ("quote", "cause"),
    [
        (BIND, TAKEN),
        (f"{EMERG} [::]:443 failed (98: Address already in use)", TAKEN),
        (
            f"{EMERG} 10.9.9.9:443 failed (99: Cannot assign requested address)",
            "cause: this machine has no such address",
        ),
        (f"{EMERG} 0.0.0.0:443 failed (13: Permission denied)", "cause: ports below 1024 are for root alone"),
        (f"{EMERG} 0.0.0.0:8443 failed (13: Permission denied)", None),
        ('nginx: [emerg] open() "/run/nginx.pid" failed (13: Permission denied)', None),
        (None, None),
    ],
)
def test_a_socket_that_cannot_be_had_has_a_cause_and_a_fix(quote: str | None, cause: str | None) -> None:
    """Who is no root, who wrote another machine's address, and whose port is taken: nginx's words alone help nobody."""
    told = explain_bind(quote)
    assert told[:1] == ((cause,) if cause else ())
    assert all(line.startswith("fix: ") for line in told[1:])
    assert len(told) == (2 if cause else 0)
