"""One key, one signer: a second instance with a validator's key, and a validator without its journal.

Goal: whoever runs a validator's key a second time, or without knowing what it has signed, signs
nothing: it stops with 79, or follows when told to sit out.

Method: a network that is under way; keys copied before their first use, so that no record of theirs
protects them; the data folder of a validator taken away.
"""

import json
import shutil
import time

import pytest

from net import Net, Node, wait


@pytest.fixture
def net(tmp_path):
    with Net(tmp_path, 4, age_s=300) as net:
        yield net


def test_a_second_instance_with_a_pristine_key_finds_the_first(net, tmp_path):
    first, others = net.nodes[0], net.nodes[1:]
    second = Node(tmp_path, "second")
    second.init()
    for name in ("validator.json", "node.json"):
        shutil.copy(first.home / "keys" / name, second.home / "keys" / name)
    (second.home / "genesis.json").write_text(net.genesis)
    second.configure(others)
    net.start()
    net.reach(5)
    net.nodes.append(second)  # so that it is killed whatever happens
    second.start()
    assert second.ended() == 79
    assert "another running node signs" in second.log_tail()
    net.nodes.pop()
    net.reach(max(n.height() for n in others) + 5)


def sits_out(node):
    status = node.status()
    return status is not None and status["note"] is not None and "sits out" in status["note"]


def test_a_lost_journal_sits_out_the_epoch(net):
    lost, others = net.nodes[0], net.nodes[1:]
    net.start()
    net.reach(5)
    assert lost.stop() == 0
    shutil.rmtree(lost.home / "data")
    lost.start()
    assert lost.ended() == 79
    lost.start("--sit-out")
    target = max(n.height() for n in others) + 5
    wait("it follows", lambda: lost.height() >= target, nodes=[lost])
    assert lost.status()["validator"] is not None and sits_out(lost)
    # It is not needed, and it does not help: with one more gone the chain stands.
    others[2].kill()
    high = max(n.height() for n in others[:2])
    wait("a halt", lambda: others[0].status()["stage"] == "halted", nodes=others)
    assert others[0].height() <= high + 2
    others[2].start()
    net.reach(high + 5, others)
    # It is bound to its new journal now and needs no flag, but this epoch never ends.
    assert lost.stop() == 0
    lost.start()
    target = max(n.height() for n in others) + 5
    wait("it follows", lambda: lost.height() >= target, nodes=[lost])
    assert sits_out(lost)


@pytest.mark.parametrize("way", ["blocks", "snapshot"])
def test_a_lost_journal_signs_again_in_a_later_epoch(tmp_path, way):
    """It takes a minute and an epoch: what it may have signed is of epochs that began before."""
    with Net(tmp_path, 4, consensus={"epoch_ms": 3000}, snapshot__every=20, sync__mode=way) as net:
        lost, others = net.nodes[0], net.nodes[1:]
        net.start()
        net.reach(25)
        assert lost.stop() == 0
        shutil.rmtree(lost.home / "data")
        lost.start()
        assert lost.ended() == 79
        lost.start("--sit-out")
        target = max(n.height() for n in others) + 5
        wait("it follows", lambda: lost.height() >= target, nodes=[lost])
        assert sits_out(lost)
        assert ("event=joined" in lost.log.read_text()) == (way == "snapshot")
        # What it waits for outlasts a restart, which needs no flag.
        assert lost.stop() == 0
        lost.start()
        wait("it to sit out", lambda: sits_out(lost), nodes=[lost])
        since = json.loads((lost.home / "keys" / "validator.json").read_text())["journals"][0]["since_ms"]
        wait("a later epoch", lambda: lost.height() > 0 and not sits_out(lost), bound_s=180, nodes=[lost])
        assert int(time.time() * 1000) > since
        # It is needed now, and it is there.
        others[2].kill()
        three = [lost, *others[:2]]
        net.reach(max(n.height() for n in three) + 10, three)
        assert lost.stop() == 0
        lost.start()
        net.reach(max(n.height() for n in three[1:]) + 10, three)
