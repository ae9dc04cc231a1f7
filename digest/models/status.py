"""How a check ended."""

from enum import StrEnum


class Status(StrEnum):
    """The result of one check, of an edition or of the installation, from good to bad."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
