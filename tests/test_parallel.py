import os
import signal
import subprocess
import sys
from contextlib import suppress
from functools import partial
from operator import mul

import pytest

from physadv.parallel import WorkerError, map_items

SLEEP = """
import sys, time
from physadv.parallel import map_items
if __name__ == "__main__":
    for _ in map_items(time.sleep, [0.5, 0.5, 60, 60], workers=2):
        print("one", flush=True)
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_items(workers):
    assert list(map_items(partial(mul, 3), range(9), workers=workers)) == list(range(0, 27, 3))


def test_nothing_is_made_of_nothing():
    assert list(map_items(abs, [])) == []


def test_one_worker_is_this_process():
    assert list(map_items(lambda _: os.getpid(), [0, 1], workers=1)) == [os.getpid()] * 2


def test_a_worker_ended_by_the_system_is_said_to_be_that():
    with pytest.raises(WorkerError, match="--workers"):
        list(map_items(signal.raise_signal, [signal.SIGKILL] * 2, workers=2))


@pytest.fixture
def sleepers(tmp_path):
    """A process, leader of a group, whose two workers have begun to work for a minute."""
    script = tmp_path / "sleep.py"
    script.write_text(SLEEP)
    process = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert [process.stdout.readline() for _ in range(2)] == ["one\n"] * 2
    yield process
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def test_ctrl_c_ends_all_at_once_and_only_the_parent_answers(sleepers):
    os.killpg(sleepers.pid, signal.SIGINT)
    # Every worker holds the other end of these streams, so that they end with the last of them.
    _, err = sleepers.communicate(timeout=30)
    assert err.count("Traceback") == 1
    assert err.splitlines()[-1] == "KeyboardInterrupt"


def test_workers_end_with_a_parent_that_is_killed(sleepers):
    sleepers.kill()
    sleepers.communicate(timeout=30)
    assert sleepers.returncode == -signal.SIGKILL
