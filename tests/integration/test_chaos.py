"""Real daemons through a network that misbehaves, kills, pauses and wipes.

Goal: whatever happens between and to fewer than a third of the validators harms nobody; when more
are struck the chain waits; and once all is well it goes on, every node with the same blocks.

Method: a devnet with bots whose nodes reach one another through proxy.py alone.  A seed draws
rounds of faults: late, slow, held, one-way, half-open, reset, refused and corrupted links, kill -9, SIGSTOP,
a rolling restart.  Each round is held until bytes or a moment have passed, then healed, and all must
move on.  At the end every height has one block on all nodes, `novate audit` holds on each, and
no log tells of evidence.  NOVATE_CHAOS_SEED and NOVATE_CHAOS_ROUNDS replay or lengthen it.
"""

import json
import os
import pathlib
import random
import re
import signal
import time

import pytest

from devnet import Devnet, processes_in
from proxy import Proxy

SEED = int(os.environ.get("NOVATE_CHAOS_SEED", "1"))
ROUNDS = int(os.environ.get("NOVATE_CHAOS_ROUNDS", "10"))
HOLD_S = 1.5  # how long a fault lasts when nothing tells that it has worked


class Storm:
    """A devnet behind a proxy, and what can befall it."""

    def __init__(self, folder, count, seed):
        self.random = random.Random(seed)
        self.net = Devnet(folder, count)
        self.proxy = Proxy(count, seed)
        self.nodes = list(range(count))
        self.killed, self.paused = set(), set()
        self.told = []

    def up(self):
        self.net.up()
        self.proxy.start([self.net.port + 10 * i for i in self.nodes])
        for i in self.nodes:
            conf = pathlib.Path(self.net.dir, f"node{i}", "novate.conf")
            ports = {self.net.port + 10 * j: self.proxy.ports[i, j] for j in self.nodes if j != i}
            text = re.sub(r"(@127\.0\.0\.1:)(\d+)",
                          lambda m: m[1] + str(ports[int(m[2])]), conf.read_text())
            conf.write_text(text.replace("[p2p]\n", "[p2p]\nannounce = none\n"))
            self.net.command("kill", str(i))
        for i in self.nodes:
            self.net.command("revive", str(i))
        self.progress("a start behind the proxy")

    def down(self):
        for i in list(self.paused):
            self.resume(i)
        self.net.command("down", check=False)
        self.proxy.stop()

    def height(self):
        return max((h for h in self.net.heights() if h is not None), default=0)

    def progress(self, why, blocks=5):
        """All nodes get `blocks` further than the best is now."""
        try:
            self.net.wait_height(self.height() + blocks)
        except AssertionError as slow:
            raise AssertionError(f"seed {SEED}: no progress after {why}; so far: {self.told}") from slow

    # --- what befalls links -------------------------------------------------------------------

    def some(self, most):
        return self.random.sample(self.nodes, self.random.randint(1, most))

    def few(self):
        """Fewer than a third of the nodes."""
        return self.some((len(self.nodes) - 1) // 3)

    def late(self):
        low = self.random.choice([0.005, 0.05, 0.2])
        for link in self.proxy.links.values():
            link.delay_s, link.jitter_s = low, low
        return f"late by {low} s"

    def stalls(self):
        links = self.random.sample(list(self.proxy.links.values()), len(self.nodes))
        for link in links:
            link.delay_s, link.jitter_s = 0.0, 1.0
        return f"{len(links)} links stall"

    def slow_reader(self):
        who = self.few()
        for link in self.proxy.between(self.nodes, who):
            link.rate = 4096
        return f"{who} read slowly"

    def one_way(self):
        who, deaf = self.few(), self.random.random() < 0.5
        for link in self.proxy.between(self.nodes, who) if deaf else self.proxy.between(who, self.nodes):
            link.open = False
        return f"{who} {'hear' if deaf else 'say'} nothing"

    def half_open(self):
        who = self.some(len(self.nodes) - 1)
        for link in self.proxy.between(who, self.nodes) + self.proxy.between(self.nodes, who):
            link.open = False
        return f"{who} hang half open"

    def partition(self):
        who = self.some(len(self.nodes) - 1)
        rest = [i for i in self.nodes if i not in who]
        for a in who:
            for b in rest:
                self.proxy.refuse(a, b)
                self.proxy.cut(a, b)
        return f"{who} apart from {rest}"

    def resets(self):
        for _ in range(8):
            a, b = self.random.sample(self.nodes, 2)
            self.proxy.cut(a, b)
        return "eight resets"

    def corruption(self):
        links = self.random.sample(list(self.proxy.links.values()), 3)
        for link in links:
            link.corrupt = True
        return "three links corrupt a byte"

    # --- what befalls processes ----------------------------------------------------------------

    def kill(self):
        who = self.some(len(self.nodes) - 1)
        for i in who:
            self.net.command("kill", str(i))
            self.killed.add(i)
            self.paused.discard(i)
        return f"{who} killed"

    def pause(self):
        who = [i for i in self.few() if i not in self.killed]
        for i in who:
            os.kill(self.net.pid(i), signal.SIGSTOP)
            self.paused.add(i)
        return f"{who} stopped"

    def resume(self, i):
        self.paused.discard(i)
        os.kill(self.net.pid(i), signal.SIGCONT)

    def rolling_restart(self):
        for i in self.nodes:
            if i not in self.killed:
                self.net.command("kill", str(i))
                self.paused.discard(i)
                self.net.command("revive", str(i))
        return "all restarted, one after the other"

    def heal(self):
        self.proxy.heal()
        for i in list(self.paused):
            self.resume(i)
        for i in sorted(self.killed):
            self.net.command("revive", str(i))
        self.killed.clear()

    def round(self):
        kinds = [self.late, self.stalls, self.slow_reader, self.one_way, self.half_open, self.partition,
                 self.resets, self.corruption, self.kill, self.pause, self.rolling_restart]
        for kind in self.random.sample(kinds, self.random.choice([1, 1, 2])):
            self.told.append(kind())
        before = self.height()
        end = time.monotonic() + HOLD_S
        while time.monotonic() < end and self.height() < before + 20:
            time.sleep(0.1)
        self.heal()
        self.progress(self.told[-1])


@pytest.fixture(scope="module")
def storm(tmp_path_factory):
    one = Storm(str(tmp_path_factory.mktemp("storm") / "d"), random.Random(SEED).choice([4, 5]), SEED)
    try:
        one.up()
        yield one
    finally:
        one.down()
    assert processes_in(one.net.dir) == []


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_round_of_faults(storm, number):
    storm.round()
    assert storm.proxy.bytes > 0  # the nodes have no other way


def test_fewer_than_a_third_silent_stop_nobody(storm):
    silent = storm.few()
    rest = [i for i in storm.nodes if i not in silent]
    for link in storm.proxy.between(silent, storm.nodes) + storm.proxy.between(storm.nodes, silent):
        link.open = False
    storm.net.wait_height(storm.height() + 10, nodes=rest)
    storm.heal()
    storm.progress("silence")


def test_halves_wait_and_agree_again(storm):
    half = storm.nodes[:len(storm.nodes) // 2]
    rest = [i for i in storm.nodes if i not in half]
    for a in half:
        for b in rest:
            storm.proxy.refuse(a, b)
            storm.proxy.cut(a, b)
    if 3 * max(len(half), len(rest)) <= 2 * len(storm.nodes):
        storm.net.stands_still(storm.nodes)
    storm.heal()
    storm.progress("halves")


def test_every_height_has_one_block(storm):
    low = min(storm.net.wait_height(1))
    for height in range(1, low, max(1, low // 60)):
        hashes = {storm.net.rpc("chain_block", node=i, height=height)["block_hash"] for i in storm.nodes}
        assert len(hashes) == 1, height


def test_the_books_balance_on_every_node(storm):
    for i in storm.nodes:
        report = json.loads(storm.net.run("audit", "--node", storm.net.url(i), "--json").stdout)
        assert report["ok"] is True, (i, report)


def test_nobody_is_accused(storm):
    for i in storm.nodes:
        log = storm.net.log(i)
        assert "event=evidence" not in log and "event=halt" not in log, f"node{i}"


def test_a_wiped_validator_signs_nothing(storm):
    """Its votes are lost, so it must refuse to start (79); the others go on."""
    victim = storm.random.choice(storm.nodes)
    rest = [i for i in storm.nodes if i != victim]
    storm.net.command("kill", str(victim))
    data = pathlib.Path(storm.net.dir, f"node{victim}", "data")
    kept = data.rename(data.parent / "kept")
    storm.net.command("revive", str(victim), check=False)
    storm.net.wait(lambda: "the key does not sign" in storm.net.log(victim), "the wiped validator to refuse")
    storm.net.wait(lambda: processes_in(data.parent) == [], "its end")
    storm.net.wait_height(storm.height() + 5, nodes=rest)
    for path in sorted(data.rglob("*"), reverse=True) if data.exists() else []:
        path.unlink() if not path.is_dir() else path.rmdir()
    if data.exists():
        data.rmdir()
    kept.rename(data)
    storm.net.command("revive", str(victim))
    storm.progress("a wipe")
