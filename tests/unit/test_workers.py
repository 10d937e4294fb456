"""Work spread over processes."""

from __future__ import annotations

import os
import signal
import time
from multiprocessing import active_children
from typing import TYPE_CHECKING

import pytest

from counterseal.errors import CountersealError, RefusedError
from counterseal.findings import Finding, Severity
from counterseal.workers import keeping, workers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

REFUSAL = RefusedError("x.no", "no: 3", findings=[Finding("x.y", Severity.CRITICAL, "why")], hint="ask for 2")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_answers_come_in_the_order_of_the_questions(count: int) -> None:
    """However long each takes; large ones, which do not fit into a pipe, block nobody."""

    def answer(number: int) -> tuple[int, bytes]:
        time.sleep(0.002 * (number % 3))
        return number, bytes(200_000)

    with workers(answer, count=count) as spread:
        assert [number for number, _ in spread(range(10))] == list(range(10))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_what_is_kept_comes_back_beside_its_answer(count: int) -> None:
    """The very object, however many questions are under way."""
    kept = [object() for _ in range(10)]

    def answer(number: int) -> int:
        return -number

    with workers(answer, count=count) as spread:
        found = list(keeping(spread, zip(kept, range(10), strict=True)))
    assert found == [(one, -number) for number, one in enumerate(kept)]


def test_questions_are_read_only_a_little_ahead() -> None:
    """So that what is under way fits into memory."""
    read = []

    def questions() -> Iterator[int]:
        for number in range(100):
            read.append(number)
            yield number

    with workers(lambda number: number, count=2) as spread:
        assert next(iter(spread(questions()))) == 0
        assert len(read) <= 4


def test_an_error_arrives_with_every_field() -> None:
    """As if it had been raised here."""

    def refuse(number: int) -> int:
        if number == 3:
            raise REFUSAL
        return number

    with workers(refuse, count=2) as spread, pytest.raises(RefusedError) as raised:
        list(spread(range(9)))
    assert vars(raised.value) == vars(REFUSAL)
    assert str(raised.value) == "no: 3"


def test_a_worker_that_dies_is_an_error_and_no_wait_for_ever() -> None:
    """As when the kernel runs out of memory."""

    def die(_: int) -> int:
        os._exit(1)

    with workers(die, count=1) as spread, pytest.raises(CountersealError) as raised:
        list(spread([1]))
    assert raised.value.code == "worker.ended"


def test_a_worker_that_dies_between_two_questions_is_the_same_error() -> None:
    """Not a broken pipe, which elsewhere means that the reader of the output went away."""

    def questions() -> Iterator[int]:
        yield 1
        (worker,) = active_children()
        worker.kill()
        worker.join()
        yield 2

    with workers(lambda number: number, count=1) as spread, pytest.raises(CountersealError) as raised:
        list(spread(questions()))
    assert raised.value.code == "worker.ended"


def test_a_worker_that_dies_before_it_reads_its_question_is_the_same_error() -> None:
    """The system calls that a reset connection."""

    def questions() -> Iterator[int]:
        yield 1
        (worker,) = active_children()
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGSTOP)
        os.waitpid(worker.pid, os.WUNTRACED)  # it stands still
        yield 2

    with workers(lambda number: number, count=1) as spread:
        answers = spread(questions())
        assert next(answers) == 1
        (worker,) = active_children()
        worker.kill()
        worker.join()
        with pytest.raises(CountersealError) as raised:
            next(answers)
    assert raised.value.code == "worker.ended"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_told_to_end_as_soon_as_it_is_there_says_nothing(
    number: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    """A batch that is through at once ends its workers before they have forgotten the handlers of the parent."""
    armed = [number]

    def of_parent(_number: int, _frame: FrameType | None) -> None:
        os.write(2, b"a worker ran the parent's handler")

    def stop_at_once() -> None:
        for one in armed:
            os.kill(os.getpid(), one)

    os.register_at_fork(after_in_child=stop_at_once)
    before = signal.signal(number, of_parent)
    try:
        with workers(lambda number: number, count=2):
            armed.clear()
    finally:
        signal.signal(number, before)
    assert capfd.readouterr().err == ""
