"""Work spread over processes, its answers in the order of the questions.

For what holds the interpreter's lock. A worker is a fork of this process: what the function closes over needs no
pickling, questions and answers do. A worker ends when its pipe does, so none outlives a parent that was killed. It
leaves Ctrl-C to the parent, and never runs a signal handler of the parent's: until it has its own, signals wait.
"""

from __future__ import annotations

import signal
from collections import deque
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from counterseal.errors import CountersealError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from multiprocessing.connection import Connection

Question = TypeVar("Question")
Answer = TypeVar("Answer")
Kept = TypeVar("Kept")

SIGNALS = {signal.SIGINT, signal.SIGTERM}


@contextmanager
def workers(
    function: Callable[[Question], Answer], *, count: int
) -> Iterator[Callable[[Iterable[Question]], Iterator[Answer]]]:
    """Give a ``map`` for ``function`` that works in ``count`` processes; 0 works here, without any.

    It reads no more than ``count`` questions ahead. An exception in a worker is raised where its answer is awaited.
    """
    if count < 1:
        yield partial(map, function)
        return
    from multiprocessing import get_context  # noqa: PLC0415 - 20 ms that only a batch needs

    fork, pipes, crew = get_context("fork"), [], []
    try:
        for _ in range(count):
            ours, theirs = fork.Pipe()
            pipes.append(ours)
            crew.append(fork.Process(target=_serve, args=(function, theirs, tuple(pipes)), daemon=True))
            with _signals_held():
                crew[-1].start()
            theirs.close()
        yield partial(_spread, pipes)
    finally:
        for pipe in pipes:
            pipe.close()
        for process in crew:
            process.terminate()
            process.join()


def keeping(
    spread: Callable[[Iterable[Question]], Iterator[Answer]], pairs: Iterable[tuple[Kept, Question]]
) -> Iterator[tuple[Kept, Answer]]:
    """Yield each answer of ``spread`` with what stood beside its question, which stays in this process."""
    kept: deque[Kept] = deque()

    def questions() -> Iterator[Question]:
        for keep, question in pairs:
            kept.append(keep)
            yield question

    for answer in spread(questions()):
        yield kept.popleft(), answer


@contextmanager
def _signals_held() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _spread(pipes: Sequence[Connection], questions: Iterable[Question]) -> Iterator[Answer]:
    """Keep every worker busy with one question; more at once could block both ends of a pipe on writing."""
    remaining = iter(questions)
    busy: deque[Connection] = deque()
    for pipe, question in zip(pipes, remaining, strict=False):
        _send(pipe, question)
        busy.append(pipe)
    while busy:
        pipe = busy.popleft()
        answer: Answer = _receive(pipe)
        for question in islice(remaining, 1):
            _send(pipe, question)
            busy.append(pipe)
        yield answer


def _send(pipe: Connection, question: object) -> None:
    try:
        pipe.send(question)
    except ConnectionError as error:  # it ended while it had nothing to do
        raise _ended() from error


def _receive(pipe: Connection) -> Any:  # noqa: ANN401 - what comes through a pipe has no type
    try:
        succeeded, answer = pipe.recv()
    except (EOFError, ConnectionError) as error:  # the latter: before it had read the question
        raise _ended() from error
    if not succeeded:
        raise answer
    return answer


def _ended() -> CountersealError:
    return CountersealError(
        "worker.ended", "a worker process ended before its work was done", hint="is there enough memory?"
    )


def _serve(function: Callable[[Question], Answer], pipe: Connection, of_parent: Sequence[Connection]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    for connection in of_parent:
        connection.close()  # or the end of the parent would not be seen
    with suppress(EOFError, OSError):  # the parent is gone, or has done without the rest
        while True:
            pipe.send(_answer(function, pipe.recv()))


def _answer(function: Callable[[Question], Answer], question: Question) -> tuple[bool, Answer | Exception]:
    try:
        return True, function(question)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent raises it
        return False, error
