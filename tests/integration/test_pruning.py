"""Journals that do not keep everything, and those who need what is gone.

Goal: a pruned node restarts; a node that needs blocks which nobody holds any more says so and goes
on from a snapshot, by itself.

Method: validators that make blocks as fast as they can, with small segments and short epochs, until
their oldest segments went, and the ends of the first epochs with them; a follower that slept meanwhile. No block of the last minute goes, so this takes a
little more than one.
"""

import shutil

import pytest

from net import Net, wait
from test_sync import Newcomer, same_roots, snapshots

PATIENCE_S = 900  # a busy machine takes so long to fill a segment of the smallest size


@pytest.fixture
def net(tmp_path):
    with Net(tmp_path, 4, consensus={"idle_ms": 5, "epoch_ms": 5000}, segment_mib=8, journal__keep_blocks=200,
             snapshot__every=500) as net:
        net.folder = tmp_path
        yield net


def first_segment(node):
    return min(int(p.name.split("-")[1], 16) for p in (node.home / "data" / "journal").iterdir()
               if "." not in p.name)


def test_blocks_that_are_gone(net):
    sleeper = Newcomer(net, net.folder, "sleeper", sync__mode="blocks", segment_mib=8)
    net.nodes.append(sleeper)  # so that it is killed whatever happens
    validators = net.nodes[:4]
    for node in validators:
        node.start()
    net.reach(3, validators)
    sleeper.start()
    wait("the sleeper", lambda: sleeper.height() >= 3, nodes=[sleeper])
    assert sleeper.stop() == 0
    assert "event=joined" not in sleeper.log.read_text()  # it went by blocks
    sleeper.configure(validators, sync__mode="auto", segment_mib=8)
    wait("segments to go", lambda: all(first_segment(n) > 1 for n in validators),
         bound_s=PATIENCE_S, nodes=validators)

    # What is gone is gone, for clients too.
    assert "error" in validators[0].ask("chain_block", height="1")

    # The ends of epochs are not gone.
    ends = [validators[0].call("chain_epoch", epoch=str(e)) for e in range(1, 6)]
    assert len({end["block_hash"] for end in ends}) == 5

    # A pruned node restarts from what it has kept, in the epoch of the others, and has them still.
    assert validators[0].stop() == 0
    validators[0].start()
    assert same_roots(validators[0], validators[1])
    assert validators[0].status()["validator"] is not None
    assert [validators[0].call("chain_epoch", epoch=str(e)) for e in range(1, 6)] == ends

    # Without its database it says that the journal is not enough.
    assert validators[0].stop() == 0
    state = validators[0].home / "data" / "state"
    state.rename(state.with_name("lost"))
    done = validators[0].run("start")
    assert done.returncode == 74 and "journal cannot make it anew" in done.stderr, done.stderr
    shutil.rmtree(state)
    state.with_name("lost").rename(state)
    validators[0].start()
    assert same_roots(validators[0], validators[1])

    # Who slept finds out, and takes a snapshot by itself.
    sleeper.start()
    wait("it to join", lambda: "event=joined" in sleeper.log.read_text(), nodes=[sleeper])
    assert same_roots(sleeper, validators[1])
    assert "event=rejoin" in sleeper.log.read_text()
    assert snapshots(sleeper)
    assert sleeper.stop() == 0
    sleeper.start()
    assert same_roots(sleeper, validators[2])

    # An empty node that is that far behind takes one of itself, too.
    fresh = Newcomer(net, net.folder, "fresh", sync__mode="auto", segment_mib=8)
    net.nodes.append(fresh)
    fresh.start()
    assert same_roots(fresh, validators[3])
    assert "event=joined" in fresh.log.read_text()
