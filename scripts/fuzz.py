"""Fuzz what reads foreign octets, guided by coverage: no input may end in an exception, a hang or unbounded memory.

usage: python scripts/fuzz.py TARGET [SECONDS [SEED]]     (60, and a random one, which is printed)
       python scripts/fuzz.py TARGET FILE...                once each, for what was found before

  tls     a whole connection: its messages decoded and told as a ladder
  nginx   a configuration: parsed, given back octet for octet, and linted
  files   certificates, CSRs, CRLs, keys, PKCS#7 and PKCS#12, alone or in bundles: recognised, described and judged

Each begins with what the tests have, and with the files of tests/fuzz/TARGET. What is found is written to the current
directory as fuzz-TARGET-crash-*, -timeout-* or -oom-*, and its name printed; mended, it belongs into tests/fuzz/TARGET.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import randbits
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Read = Callable[[bytes], None]

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]
SECONDS, LONGEST, SECONDS_EACH, MEGABYTES = 60, 8000, 20, 2048
MARK = b"\xff\xfe\xfd"
CONTENTS = (22, 21, 20)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Target:
    """What is watched while it runs, how one input is read, and the inputs to begin with."""

    watched: tuple[str, ...]
    reader: Callable[[], Read]
    corpus: Callable[[], Mapping[str, bytes]]


def tls_reader() -> Read:
    """Read messages, each behind one octet for its sender and content, joined by a mark."""
    from counterseal.handshake.explain.derivation import derive  # noqa: PLC0415 - imported under the fuzzer's eyes
    from counterseal.handshake.explain.ladder import ladder_of  # noqa: PLC0415 - same
    from counterseal.handshake.explain.story import read_story  # noqa: PLC0415 - same
    from counterseal.handshake.trace.dial import Ending, Stage, Trace  # noqa: PLC0415 - same
    from counterseal.handshake.wire.decode import Captured, decode_all  # noqa: PLC0415 - same
    from counterseal.handshake.wire.messages import Side  # noqa: PLC0415 - same

    def read(octets: bytes) -> None:
        parts = [part for part in octets.split(MARK) if part]
        captured = tuple(
            Captured(
                number / 1000,
                Side.CLIENT if part[0] & 8 else Side.SERVER,
                CONTENTS[part[0] % 8 % len(CONTENTS)],
                part[1:],
            )
            for number, part in enumerate(parts)
        )
        decoded = decode_all(captured)
        told = read_story(decoded)
        derive(told)
        trace = Trace(Ending.DONE, Stage.REQUEST, captured)
        assert len(ladder_of(trace, decoded, told)) == len(captured)  # noqa: S101 - what is looked for

    return read


def tls_corpus() -> Mapping[str, bytes]:
    """Return every captured handshake."""
    captured = importlib.import_module("captured")
    return {
        name: MARK.join(
            bytes([CONTENTS.index(one.content) | (8 if one.sender == "client" else 0)]) + one.octets
            for one in captured.captured_case(name)
        )
        for name in captured.CASES
    }


def nginx_reader() -> Read:
    """Read a configuration of one file; what it includes is not there."""
    from counterseal.errors import InputError  # noqa: PLC0415 - imported under the fuzzer's eyes
    from counterseal.nginx.lint.build import build  # noqa: PLC0415 - same
    from counterseal.nginx.lint.engine import lint  # noqa: PLC0415 - same
    from counterseal.nginx.parse import parse  # noqa: PLC0415 - same
    from counterseal.nginx.reading import read_dump  # noqa: PLC0415 - same
    from counterseal.nginx.tree import render_tree  # noqa: PLC0415 - same
    from counterseal.nginx.version import named_version  # noqa: PLC0415 - same

    version = named_version("1.22.1")

    def read(octets: bytes) -> None:
        text = octets.decode("utf-8", "surrogateescape")
        try:
            assert render_tree(parse(text)) == text  # noqa: S101 - what is looked for
            whole = read_dump({"f": text})
        except InputError:
            return
        lint(build(whole.tree, version=version, now=NOW), whole.texts)

    return read


def nginx_corpus() -> Mapping[str, bytes]:
    """Return the cases of the rules, which reach every one of them."""
    cases = importlib.import_module("nginx_lint_lab").list_cases()
    return {f"{number}.conf": case.text.encode("utf-8", "surrogateescape") for number, case in enumerate(cases)}


def files_reader() -> Read:
    """Read a file as ``counterseal inspect`` does, which judges what it finds as ``counterseal lint`` does."""
    from counterseal.authority.inspect import inspect  # noqa: PLC0415 - imported under the fuzzer's eyes
    from counterseal.authority.inspected import GivenFile  # noqa: PLC0415 - same

    def read(octets: bytes) -> None:
        inspect((GivenFile("f", octets),), at=NOW, password=lambda _: b"secret")

    return read


def files_corpus() -> Mapping[str, bytes]:
    """Return the files of the linter's tests: certificates, chains, keys and lists, right and wrong ones."""
    files: dict[str, bytes] = importlib.import_module("nginx_lint_lab").lab_files()
    return {name.replace("/", "_"): content for name, content in files.items() if len(content) <= LONGEST}


TARGETS = {
    "tls": Target(("counterseal.handshake.wire", "counterseal.handshake.explain"), tls_reader, tls_corpus),
    "nginx": Target(("counterseal.nginx",), nginx_reader, nginx_corpus),
    "files": Target(("counterseal.pki", "counterseal.bundles"), files_reader, files_corpus),
}


def main() -> int:
    """Fuzz for the given time; libFuzzer's exit code tells whether something was found."""
    name, *words = sys.argv[1:] or [""]
    again = bool(words) and all(Path(word).is_file() for word in words)
    if name not in TARGETS or not (again or (len(words) <= 2 and all(word.isdigit() for word in words))):  # noqa: PLR2004 - seconds and seed
        print(__doc__, file=sys.stderr)
        return 2
    seconds, seed = words[0] if words else SECONDS, words[1] if words[1:] else randbits(32)
    atheris = importlib.import_module("atheris")  # without types, and only where ./check has put it
    target = TARGETS[name]
    corpus = target.corpus()
    for module in [module for module in sys.modules if module.startswith("counterseal.")]:
        del sys.modules[module]  # the tests' helpers loaded them unwatched
    with atheris.instrument_imports(include=list(target.watched)):
        read = target.reader()
    limits = (f"-timeout={SECONDS_EACH}", f"-rss_limit_mb={MEGABYTES}", f"-max_len={LONGEST}")
    with tempfile.TemporaryDirectory() as directory:
        for file, content in corpus.items():
            (Path(directory) / file).write_bytes(content)
        kept = ROOT / "tests" / "fuzz" / name  # the last of the directories, because the fuzzer adds to the first
        inputs = words if again else [directory, str(kept), f"-max_total_time={seconds}", f"-seed={seed}"]
        atheris.Setup([sys.argv[0], *inputs, *limits, f"-artifact_prefix=fuzz-{name}-"], read)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
