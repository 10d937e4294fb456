"""Searches that take long, of one caller: what they are told, and that everybody else is answered meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest

from api_client import CONFIGURATION, Answer, Client, make_api
from counterseal.service.searching import CALLER_LIMIT
from postgresql_process import cluster
from service_process import running

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_long_searches_of_one_caller_hold_up_nobody(tmp_path: Path) -> None:
    """They are ended with 422, those beyond what may wait with 429; others and their searches are answered."""
    url = cluster().create()
    make_api(tmp_path / "home", f'{CONFIGURATION}[store]\nurl = "{url}"\n')
    with (
        running(tmp_path / "home") as service,
        psycopg.connect(url) as locking,
        ThreadPoolExecutor(CALLER_LIMIT + 1) as threads,
    ):
        viewer, operator = Client(service, "viewer"), Client(service, "operator")
        locking.execute("lock table certificate_name in access exclusive mode")  # a search by name never comes back
        asked = [
            threads.submit(viewer.call, "GET", "/v1/certificates?name=view", None, None)
            for _ in range(CALLER_LIMIT + 1)
        ]
        answers: list[Answer] = []
        while not any(answer.status == 422 for answer in answers):
            assert operator.call("GET", "/v1/certificates").status == 200
            assert operator.call("GET", "/v1/cas").status == 200
            answers = [one.result() for one in asked if one.done()]
        locking.rollback()
        answers = [one.result() for one in asked]
    problems = {answer.status: answer for answer in answers if answer.status != 200}
    assert {status: answer.json["code"] for status, answer in problems.items()} == {
        422: "search.too_broad",
        429: "search.too_many",
    }
    assert problems[429].response.headers["Retry-After"] == "2"
    assert [answer.status for answer in answers].count(429) == 1
    names = [one["name"] for answer in answers if answer.status == 200 for one in answer.json["certificates"]]
    assert set(names) == {"viewer"}
