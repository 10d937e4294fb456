"""What benchmarks share that run whole programs: a place of their own, and what a program took."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(sys.executable).with_name("counterseal")


@dataclass(frozen=True, slots=True)
class Took:
    """Wall seconds of one program, CPU seconds of it and its children, the largest memory of its own process in MB."""

    seconds: float
    cpu: float
    megabytes: float


@contextmanager
def new_place(name: str, directory: Path | None = None) -> Iterator[Path]:
    """Give a new directory, removed at the end."""
    with tempfile.TemporaryDirectory(prefix=f"counterseal-{name}-", dir=directory) as place:
        yield Path(place)


def run(*command: str | Path, cwd: Path, cores: int | None = None) -> Took:
    """Run one program to its end, on so many cores; one that fails ends the benchmark with what it said.

    Bytecode is cached, as it is everywhere after the first run.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    words = [str(word) for word in command]
    some = sorted(os.sched_getaffinity(0))[:cores]
    memory, before = [0], resource.getrusage(resource.RUSAGE_CHILDREN)
    with (cwd / "said").open("wb") as said:
        began = time.perf_counter()
        program = subprocess.Popen(words, cwd=cwd, env=environment, stdout=said, stderr=said)
        os.sched_setaffinity(program.pid, some)
        watching = threading.Thread(target=_watch, args=(program.pid, memory))
        watching.start()
        code = program.wait()
        seconds = time.perf_counter() - began
    watching.join()
    assert code == 0, f"{' '.join(words)}: {(cwd / 'said').read_text()}"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(seconds, cpu, memory[0] / 1024)


def _watch(pid: int, memory: list[int]) -> None:
    """Note the kilobytes of the high-water mark until the process ends; ``ru_maxrss`` would begin at our own memory."""
    status = Path(f"/proc/{pid}/status")
    while True:
        try:
            marks = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        except (FileNotFoundError, ProcessLookupError):
            return
        if not marks:
            return
        memory[0] = max(memory[0], int(marks[0]))
        time.sleep(0.01)
