"""What is done beside pages is done once, in turn, and ends with the process."""

import threading

import pytest

from digest.tasks.background import Background, rest_often


def test_what_is_under_way_is_not_begun_again() -> None:
    background, goes_on, done = Background(), threading.Event(), list[str]()

    def act() -> None:
        assert goes_on.wait(30)
        done.append("counted")

    assert not background.begin("count", act, 0)
    assert not background.begin("count", act, 0)
    goes_on.set()
    assert background.begin("another", lambda: None, 30)
    assert done == ["counted"]
    assert background.begin("count", act, None)
    assert done == ["counted"] * 2
    background.close()


def test_an_error_is_logged_and_raised_for_who_waits(caplog: pytest.LogCaptureFixture) -> None:
    background = Background()
    with pytest.raises(ZeroDivisionError):
        background.begin("count", lambda: 1 / 0, 30)  # type: ignore[arg-type]
    assert "count" in caplog.text
    assert background.begin("count", lambda: None, 30)
    background.close()


def test_closing_waits_for_what_has_begun() -> None:
    background, done = Background(), list[str]()
    background.begin("count", lambda: done.append("counted"), 0)
    background.close()
    assert done == ["counted"]
    background.close()


def test_a_long_computation_rests_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    rests = list[float]()
    monkeypatch.setattr("time.sleep", rests.append)
    rest = rest_often()
    for _ in range(100):
        rest()
    assert len(rests) == 10
