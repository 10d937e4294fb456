"""Fuzz the reader of TLS messages, guided by coverage: no input may end in an exception, a hang or unbounded memory.

usage: python scripts/fuzz_tls.py [SECONDS]     (60 by default; needs ``pip install atheris``, which ./check does not)

Each input is a whole connection: messages behind one byte for sender and content, joined by a mark. The captured
handshakes of the tests are where it begins; what it finds is written to the current directory as crash-*.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]
MARK = b"\xff\xfe\xfd"
CONTENTS = (22, 21, 20)
SECONDS, LONGEST = 60, 8000


def write_corpus(directory: Path) -> None:
    """Write every captured handshake as one input."""
    captured = importlib.import_module("captured")
    for name in captured.CASES:
        parts = (
            bytes([CONTENTS.index(one.content) | (8 if one.sender == "client" else 0)]) + one.octets
            for one in captured.captured_case(name)
        )
        (directory / name).write_bytes(MARK.join(parts))


def main() -> int:
    """Fuzz for the given time; libFuzzer's exit code tells whether something was found."""
    try:
        atheris = importlib.import_module("atheris")
    except ImportError:
        print("atheris is missing: pip install atheris", file=sys.stderr)
        return 1
    with atheris.instrument_imports(include=["counterseal.handshake.wire", "counterseal.handshake.explain"]):
        decode = importlib.import_module("counterseal.handshake.wire.decode")
        messages = importlib.import_module("counterseal.handshake.wire.messages")
        ladder = importlib.import_module("counterseal.handshake.explain.ladder")
        story = importlib.import_module("counterseal.handshake.explain.story")
        derivation = importlib.import_module("counterseal.handshake.explain.derivation")
        dial = importlib.import_module("counterseal.handshake.trace.dial")

    def read(octets: bytes) -> None:
        parts = [part for part in octets.split(MARK) if part]
        captured = tuple(
            decode.Captured(
                number / 1000,
                messages.Side.CLIENT if part[0] & 8 else messages.Side.SERVER,
                CONTENTS[part[0] % 8 % len(CONTENTS)],
                part[1:],
            )
            for number, part in enumerate(parts)
        )
        decoded = decode.decode_all(captured)
        told = story.read_story(decoded)
        derivation.derive(told)
        trace = dial.Trace(dial.Ending.DONE, dial.Stage.REQUEST, captured)
        assert len(ladder.ladder_of(trace, decoded, told)) == len(captured)  # noqa: S101 - what is looked for

    with tempfile.TemporaryDirectory() as name:
        write_corpus(Path(name))
        seconds = sys.argv[1] if len(sys.argv) > 1 else str(SECONDS)
        atheris.Setup([sys.argv[0], name, f"-max_total_time={seconds}", f"-max_len={LONGEST}"], read)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
