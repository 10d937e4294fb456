"""Completion as the shells do it: bash and zsh and fish load what we print, and offer what is there."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from command import counterseal

COMMAND = Path(sys.executable).parent / "counterseal"
BASH = """
source "$1"
COMP_LINE=$2
COMP_WORDS=("${@:3}")
COMP_CWORD=$(($# - 3))
_counterseal_completion counterseal
printf '%s\\n' "${COMPREPLY[@]}"
"""
RUNS = ("zz`touch run`", "yy$(touch run)", "xx';touch run;'", 'ww";touch run;"', "vv\\`touch run`")
"""Names that would be commands where a shell took them for more than a word."""
FISH = """
source $argv[1]
complete --do-complete "counterseal $argv[2]"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with certificates, and a site."""
    home = tmp_path_factory.mktemp("completed") / "home"
    assert counterseal(home, "init", "--no-passphrase").code == 0
    names = ("alice", "alina", "bob", "Ann Lee", "it's a*", "ann@example.com", "so!", 'a"b', *RUNS)
    for name in names:
        assert counterseal(home, "client", name, "--no-p12", "--out", str(home.parent / "out")).code == 0
    (home / "counterseal.toml").write_text(
        '[sites.panel]\nserver_names = ["a.test"]\nlisten = ["8443"]\nroot = "/srv"\n'
    )
    return home


def environment(home: Path) -> dict[str, str]:
    """Return an environment in which ``counterseal`` is ours and knows its home."""
    return {**os.environ, "PATH": f"{COMMAND.parent}:{os.environ['PATH']}", "COUNTERSEAL_HOME": str(home)}


def script(home: Path, shell: str) -> Path:
    """Write what ``completion SHELL`` prints."""
    path = home.parent / f"completion.{shell}"
    path.write_text(subprocess.run([COMMAND, "completion", shell], capture_output=True, text=True, check=True).stdout)
    return path


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("rev", {"revoke"}),
        ("nginx ro", {"rollback"}),
        ("revoke --rea", {"--reason"}),
        ("revoke --reason key_", {"key_compromise"}),
        ("show al", {"alice", "alina"}),
        ("list --issuer cl", {"clients"}),
        ("sign --profile s", {"server"}),
        ("prove p", {"panel"}),
    ],
)
@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_a_shell_offers_what_is_there(home: Path, shell: str, words: str, offered: set[str]) -> None:
    """Commands, options, values, and the names in this home."""
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    path = str(script(home, shell))
    if shell == "bash":
        command = ["bash", "--norc", "-c", BASH, "bash", path, f"counterseal {words}", "counterseal", *words.split()]
    else:
        command = ["fish", "--no-config", "-c", FISH, path, words]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(home), timeout=60)
    found = {line.split("\t")[0].strip() for line in ran.stdout.splitlines()}
    assert offered <= found, ran
    assert not found & {"bob", "root"}


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        (["Ann\\ L"], "Ann\\ Lee"),
        (["A"], "Ann\\ Lee"),
        (['"Ann L'], "Ann Lee"),
        (["'Ann L"], "Ann Lee"),
        (['"zz'], r"zz\`touch run\`"),
        (['"yy'], r"yy\$(touch run)"),
        (['"xx'], "xx';touch run;'"),
        (['"vv'], r"vv\\\`touch run\`"),
        (["'zz"], "zz`touch run`"),
        (["'xx"], ""),
        (['"ww'], ""),
        (['"so'], ""),
        (["'so"], "so!"),
        (['z"z'], ""),
        (["z'z"], ""),
        (["''zz"], ""),
        (['""zz'], ""),
        (["$'zz"], ""),
        (["ann", "@", '"e'], "example.com"),
        (["'ann'", "@", '"e'], ""),
        (["it"], r"it\'s\ a\*"),
        (["ann", "@", "e"], "example.com"),
        (["ann", "@"], "example.com"),
    ],
)
def test_bash_inserts_a_name_as_one_word(home: Path, words: list[str], reply: str) -> None:
    """Spaces, quotes and wildcards escaped where no quote is open; only what comes after the ``@`` that parts words."""
    (home.parent / "it's a file").touch()  # no wildcard of a name stands for a file
    command = ["bash", "--norc", "-c", BASH, "bash", str(script(home, "bash"))]
    command += [f"counterseal show {''.join(words)}", "counterseal", "show", *words]
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment(home), cwd=home.parent, timeout=60
    )
    assert ran.stdout == f"{reply}\n", ran


@pytest.mark.parametrize(("word", "name"), [('"zz', 0), ('"yy', 1), ("'zz", 0), ("'ww", 3), ("zz", 0), ('"vv', 4)])
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_no_name_is_run_by_the_line_that_it_completes(home: Path, shell: str, word: str, name: int) -> None:
    """At a terminal: what TAB has put there and Enter runs shows that certificate, and does nothing else."""
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    path = script(home, shell)
    (home.parent / ".zshrc").write_text(f"autoload -U compinit; compinit -u -D; source '{path}'; PS1='READY> '\n")
    (home.parent / "bashrc").write_text(f"source '{path}'; PS1='READY> '\n")
    begin = f"source '{path}'; function fish_prompt; echo 'READY> '; end"
    command = {
        "bash": ["bash", "--rcfile", str(home.parent / "bashrc"), "-i"],
        "zsh": ["zsh", "-d", "-i"],
        "fish": ["fish", "--no-config", "-C", begin],
    }[shell]
    environ = {"ZDOTDIR": str(home.parent), "HOME": str(home.parent), "TERM": "xterm", "COLUMNS": "200"}
    shown = at_terminal(command, f"counterseal show {word}\t\rexit\r", environment(home) | environ, home.parent)
    assert f"name     {RUNS[name]}" in shown, shown
    assert not (home.parent / "run").exists(), shown


def at_terminal(command: list[str], keys: str, environ: dict[str, str], place: Path) -> str:
    """Type ``keys`` at the first prompt of a shell on a terminal of its own; return what it has shown until its end."""
    ours, theirs = pty.openpty()
    command = ["setsid", "--ctty", *command]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ, cwd=place) as shell:
        os.close(theirs)
        shown = b""
        try:
            while select.select([ours], [], [], 30)[0]:
                began = b"READY> " in shown
                shown += os.read(ours, 65536)
                if b"READY> " in shown and not began:
                    os.write(ours, keys.encode())
        except OSError:  # its end of the terminal is closed
            pass
        finally:
            shell.kill()
            os.close(ours)
    return shown.decode(errors="replace")


def test_zsh_loads_the_script(home: Path) -> None:
    """It parses, and registers itself for the command; what it then offers comes from the same answer as bash's."""
    if shutil.which("zsh") is None:
        pytest.skip("no zsh here")
    check = 'autoload -U compinit && compinit -u -D && source "$1" && print -r -- "$_comps[counterseal]"'
    command = ["zsh", "-f", "-c", check, "zsh", str(script(home, "zsh"))]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(home), timeout=60)
    assert ran.stdout.strip() == "_counterseal_completion", ran
    asked = {"_COUNTERSEAL_COMPLETE": "zsh_complete", "COMP_WORDS": "counterseal show al", "COMP_CWORD": "2"}
    told = subprocess.run([COMMAND], capture_output=True, text=True, check=False, env=environment(home) | asked)
    assert {"alice", "alina"} <= set(told.stdout.split())


def test_completion_keeps_silent_where_there_is_no_home(tmp_path: Path) -> None:
    """No error between the words that somebody types."""
    asked = {"_COUNTERSEAL_COMPLETE": "bash_complete", "COMP_WORDS": "counterseal show al", "COMP_CWORD": "2"}
    environ = environment(tmp_path / "nowhere") | asked
    ran = subprocess.run([COMMAND], capture_output=True, text=True, check=False, env=environ)
    assert (ran.stdout.strip(), ran.stderr) == ("", "")
