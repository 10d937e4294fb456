"""Answers that are found once for each configuration, though many rules ask: what a level decides, and the like.

They are kept in the configuration itself, and so for as long as it is.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.nginx.lint.model import Configuration

Subject = TypeVar("Subject")
Answer = TypeVar("Answer")


def remembered(ask: Callable[[Configuration, Subject], Answer]) -> Callable[[Configuration, Subject], Answer]:
    """Have a question about a level or a server, both of which are compared by identity, asked once."""

    @wraps(ask)
    def answer(configuration: Configuration, subject: Subject) -> Answer:
        answers: dict[Subject, Answer] = configuration.answers.setdefault(ask, {})
        if subject not in answers:
            answers[subject] = ask(configuration, subject)
        return answers[subject]

    return answer
