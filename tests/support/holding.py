"""Functions that wait until a test lets them go on."""

import threading
from types import ModuleType
from typing import Any

import pytest


def hold_up(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> threading.Event:
    """Let a function of a module wait, until the event that is returned is set."""
    goes_on, act = threading.Event(), getattr(module, name)

    def wait(*given: Any) -> Any:
        assert goes_on.wait(30)
        return act(*given)

    monkeypatch.setattr(module, name, wait)
    return goes_on
