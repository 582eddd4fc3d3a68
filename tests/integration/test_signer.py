"""One key, one signer: a second instance with a validator's key, and a validator without its journal.

Goal: whoever runs a validator's key a second time, or without knowing what it has signed, signs
nothing: it stops with 79, or follows when told to sit out.

Method: a network that is under way; keys copied before their first use, so that no record of theirs
protects them; the data folder of a validator taken away.
"""

import shutil

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


def test_a_lost_journal_signs_no_more_and_sits_out(net):
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
    status = lost.status()
    assert status["validator"] is not None and "sits out" in status["note"]
    # It is not needed, and it does not help: with one more gone the chain stands.
    others[2].kill()
    high = max(n.height() for n in others[:2])
    wait("a halt", lambda: others[0].status()["stage"] == "halted", nodes=others)
    assert others[0].height() <= high + 2
    others[2].start()
    net.reach(high + 5, others)
    # The record still does not let it sign.
    assert lost.stop() == 0
    lost.start()
    assert lost.ended() == 79
