"""One key, one signer: a second instance with a validator's key, and a validator without its journal.

Goal: whoever runs a validator's key a second time, or without knowing what it has signed, signs
nothing: it stops with 79, or follows when told to sit out.

Method: a network that is under way; keys copied before their first use, so that no record of theirs
protects them; the data folder of a validator taken away. Who may sign again has to wait for a minute, so
that is begun first, and looked at last.
"""

import contextlib
import json
import shutil

import pytest

from net import Net, Node, wait


def says_it_sits_out(node):
    """Whether it says that it sits out, where it follows; None where it says something else."""
    status = node.status()
    return "sits out" in (status["note"] or "") if status and status["stage"] == "ready" else None


def sits_out(node):
    wait("it to sit out", lambda: says_it_sits_out(node), nodes=[node])


def follows(node, others):
    """Waits until it is where the others were, and further."""
    target = max(n.height() for n in others) + 5
    wait("it follows", lambda: node.height() >= target, nodes=[node])


def lose_journal(node):
    """Without its journal it does not start; told that nothing else signs with its key, it sits out."""
    assert node.stop() == 0
    shutil.rmtree(node.home / "data")
    node.start()
    assert node.ended() == 79
    node.start("--sit-out")


def horizon(nodes):
    """The (epoch, view) that these validators have come to, and a height below."""
    told = [n.call("node_status") for n in nodes]
    return (max((int(t["epoch"]), int(t["view"])) for t in told),
            min(int(t["executed"]["height"]) for t in told))


def is_beyond(certificate, last):
    """Whether it is of a view in which nobody can have signed who ended before the others were at `last`: one
    comes at most a view further than they, into the next one or the first of the next epoch."""
    epoch, view = last
    at = int.from_bytes(certificate[1:9], "big"), int.from_bytes(certificate[9:17], "big")
    return at > (epoch, view + 1) and at != (epoch + 1, 1)


def signed_epochs(node, index, since):
    """The epochs in which a validator's signature is in a finalization beyond a horizon."""
    (last, at), epochs, top = since, set(), node.height()
    while at < top:
        asked = {"from": str(at + 1), "count": 20}
        page = wait("blocks", lambda asked=asked: node.call("chain_blocks", **asked)["blocks"], nodes=[node])
        for block in page:
            certificate = bytes.fromhex(block["certificate"][2:])
            if is_beyond(certificate, last) and certificate[58 + index // 8] >> index % 8 & 1:
                epochs.add(int.from_bytes(certificate[1:9], "big"))
        at += len(page)
    return epochs


# ---- those who will sign again ----

lost_at = {}  # by the way to catch up: the others' horizon after the loss


@pytest.fixture(scope="module")
def nets(tmp_path_factory):
    """A network for each way to catch up, all at the same time: their minutes pass together."""
    with contextlib.ExitStack() as stack:
        made = {}
        for way in ("blocks", "snapshot"):
            made[way] = stack.enter_context(Net(tmp_path_factory.mktemp(way), 4, consensus={"epoch_ms": 3000},
                                                snapshot__every=20, sync__mode=way))
            made[way].start()
        yield made


@pytest.mark.parametrize("way", ["blocks", "snapshot"])
def test_a_lost_journal_sits_out_across_a_restart(nets, way):
    lost, others = nets[way].nodes[0], nets[way].nodes[1:]
    nets[way].reach(25)
    lose_journal(lost)
    lost_at[way] = horizon(others)
    follows(lost, others)
    sits_out(lost)
    assert ("event=joined" in lost.log.read_text()) == (way == "snapshot")
    # What it waits for outlasts a restart, which needs no flag.
    assert lost.stop() == 0
    lost.start()
    sits_out(lost)


# ---- while their minute passes ----

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


def test_a_lost_journal_sits_out_the_epoch(net):
    lost, others = net.nodes[0], net.nodes[1:]
    net.start()
    net.reach(5)
    lose_journal(lost)
    since = horizon(others)
    follows(lost, others)
    sits_out(lost)
    index = lost.call("node_status")["validator"]
    # It is not needed, and it does not help: with one more gone the chain stands.
    others[2].kill()
    wait("a halt", lambda: others[0].call("node_status")["stage"] == "halted", nodes=others)
    others[2].start()
    net.reach(max(n.height() for n in others[:2]) + 5, others)
    # It is bound to its new journal now and needs no flag, but this epoch never ends.
    assert lost.stop() == 0
    lost.start()
    follows(lost, others)
    sits_out(lost)
    assert index is not None and not signed_epochs(others[0], index, since)


# ---- a minute later ----

def began_ms(node, epoch):
    header = bytes.fromhex(node.call("chain_epoch", epoch=str(epoch - 1))["header"][2:])
    return int.from_bytes(header[100:108], "big")


@pytest.mark.parametrize("way", ["blocks", "snapshot"])
def test_it_signs_again_in_a_later_epoch(nets, way):
    """It takes a minute and an epoch: what it may have signed is of epochs that began before."""
    lost, others = nets[way].nodes[0], nets[way].nodes[1:]
    assert way in lost_at, "the test that makes it lose its journal comes first"
    wait("a later epoch", lambda: says_it_sits_out(lost) is False, nodes=[lost])
    since = json.loads((lost.home / "keys" / "validator.json").read_text())["journals"][0]["since_ms"]
    # It is needed now, and it is there.
    others[2].kill()
    three = [lost, *others[:2]]
    nets[way].reach(max(n.height() for n in three) + 10, three)
    assert lost.stop() == 0
    lost.start()
    nets[way].reach(max(n.height() for n in three[1:]) + 10, three)
    signed = signed_epochs(others[0], lost.call("node_status")["validator"], lost_at[way])
    assert signed and all(began_ms(others[0], epoch) > since for epoch in signed)
