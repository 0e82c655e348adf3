"""The stand-in, against the AWS SDK for JavaScript: tests/js/run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parent.parent / "js" / "run"


def test_second_client():
    done = subprocess.run([RUN], capture_output=True, text=True, timeout=150, check=False)
    if done.returncode == 77:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
