"""test_crash.py - a real validator is killed again and again, and keeps its word.

Goal: what a client was told of blocks is there after every kill -9, and the
validator goes on voting.

Method: novated-crash is novated with the points of base/crash.def.  A node alone
on its chain is killed at named points, and between them as soon as a height is
reached; a client notes every block that it sees, and asks for them again from
the next process.  A node that starts listens for two seconds, so several do so at
the same time, each with a chain and points of its own.
"""

import concurrent.futures
import contextlib
import random
import re
import signal

import net
import pytest

from net import ROOT, Net, wait

CRASH_DAEMON = ROOT / "build/release/bin/novated-crash"
POINTS = re.findall(r"^XX\((\w+),", (ROOT / "base/crash.def").read_text(), re.M)
NODES = 3
KILLS = 20  # of each
FRESH = {"KEY_WRITTEN", "KEY_SYNCED", "KEY_RENAMED", "KEY_DURABLE", "JOURNAL_MADE", "CHAIN_NOTED",
         "DATABASE_MADE", "DATABASE_RENAMED"}  # passed in a new home only


@pytest.fixture(name="lone")
def _lone(tmp_path_factory, monkeypatch):
    monkeypatch.setattr(net, "NOVATED", CRASH_DAEMON)
    monkeypatch.delenv("NOVATE_CRASH", raising=False)
    with contextlib.ExitStack() as stack:
        nets = [Net(tmp_path_factory.mktemp("lone"), 1, checkpoint_ms=100) for _ in range(NODES)]
        yield [stack.enter_context(one).nodes[0] for one in nets]


def block_of(node, height):
    return node.call("chain_block", height=str(height))["block_hash"]


def see(node, told):
    """Notes the newest block, and compares the older ones with what was told."""
    status = node.status()
    if status is None:
        return None
    height = int(status["executed"]["height"])
    if height > 0 and height not in told:
        told[height] = block_of(node, height)
    return height


def live(node, told, point, blocks):
    """Runs until the node is killed at its point, or has made so many blocks."""
    first = max(told, default=0)
    node.start(**({"NOVATE_CRASH": point} if point else {}))

    def over():
        try:
            height = see(node, told)
        except (OSError, ValueError):
            height = None  # it died meanwhile
        return not node.alive() or (height is not None and height >= first + blocks)
    wait("blocks or death", over, nodes=[node])
    if node.alive():
        node.kill()
        return False
    assert node.process.wait() == -signal.SIGKILL, node.log_tail()
    node.process = None
    return True


def keeps_its_word(alone, seed):
    """Kills a node again and again, and returns the points at which it died."""
    told = {}
    rng = random.Random(seed)
    died_at = set()
    for i in range(KILLS):
        point = None
        if i % 4 != 3:
            names = [p for p in POINTS if (p in FRESH) == (i == 0) and p not in died_at] or POINTS
            point = f"{rng.choice(names)}:{1 if i == 0 else rng.randint(1, 3)}"
        if live(alone, told, point, rng.randint(1, 4)):
            died_at.add(point.split(":")[0])
    alone.start()
    top = max(told)
    wait("all that was told", lambda: alone.height() > top, nodes=[alone])
    for height, block in told.items():
        assert block_of(alone, height) == block
    assert alone.stop() == 0
    return died_at


def test_they_keep_their_word(lone):
    with concurrent.futures.ThreadPoolExecutor(NODES) as pool:
        died_at = list(pool.map(keeps_its_word, lone, range(7, 7 + NODES)))
    assert all(len(points) >= KILLS // 4 for points in died_at), died_at
    assert len(set().union(*died_at)) >= 2 * KILLS // 3, died_at
