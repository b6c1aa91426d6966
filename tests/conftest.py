"""What holds for all tests: in CI a real part that is missing is a failure, not a skip."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

MISSING = ("is not installed", "corpus is absent", "models are not fetched")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip for want of a program or of the corpus into a failure where CI has them."""
    report = yield
    if os.environ.get("CI") and report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        if any(words in reason for words in MISSING):
            report.outcome = "failed"
            report.longrepr = f"CI should have this: {reason}"
    return report
