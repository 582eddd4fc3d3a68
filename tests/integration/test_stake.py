"""Validators that change while the chain goes on.

Goal: epochs end and begin with real daemons, through kills and restarts; who bonds becomes a
validator, is linked as one, and the chain needs it from then on; who takes its stake back leaves,
follows, and is not needed.

Method: networks with epochs of a second or two and a block every 50 ms; stake is moved by the command line.
"""

import json
import os

import pytest

from net import NOVATED, Net, Node, wait
from patience import run
from test_node import same_chain

ALICE = "0x01eD6EC40EBa7EcDaAD169929b04151C5028bB89"
NOVATE = NOVATED.parent / "novate"


def epoch(node):
    status = node.status()
    return int(status["epoch"]) if status else 0


def validates(node):
    status = node.status()
    return status["validator"] is not None if status else None


def reach_epoch(number, nodes):
    wait(f"epoch {number}", lambda: all(epoch(n) >= number for n in nodes), nodes=nodes)


def members(node):
    return {v["key"] for v in node.call("chain_validators")["validators"]}


def linked(node):
    """The node keys of the validators that it is linked with."""
    peers = node.call("node_peers")["peers"]
    return {p["node_key"] for p in peers if p["validator"] is not None}


def novate(node, *words):
    """Moves stake; it ends with 0 only when the outcome is proved, across however many epochs."""
    done = run([NOVATE, *words],
               env={**os.environ, "NOVATE_NODE": f"http://127.0.0.1:{node.rpc}", "NOVATE_KEY": "alice"})
    assert done.returncode == 0, done.stderr


@pytest.fixture(name="net")
def _net(tmp_path):
    with Net(tmp_path, 4, consensus={"epoch_ms": 1000, "idle_ms": 50}) as net:
        text = json.loads(net.genesis)
        text["accounts"].append({"address": ALICE, "cash": "1000"})
        text["params"] = {"STAKE_SELF_MIN": "1", "STAKE_MIN": "1"}
        net.genesis = json.dumps(text)
        for node in net.nodes:
            (node.home / "genesis.json").write_text(net.genesis)
        net.start()
        net.reach(3)
        yield net


def test_epochs_go_on_through_kills(net):
    nodes = net.nodes
    reach_epoch(3, nodes)
    nodes[3].kill()
    reach_epoch(epoch(nodes[0]) + 3, nodes[:3])
    nodes[3].start()
    reach_epoch(epoch(nodes[0]) + 1, nodes)
    assert validates(nodes[3])
    for node in nodes:
        node.kill()
    for node in nodes:
        node.start()
    net.reach(1)
    reach_epoch(epoch(nodes[0]) + 2, nodes)
    same_chain(nodes, max(1, min(n.height() for n in nodes) - 20))
    assert nodes[1].stop() == 0


def test_who_bonds_validates_and_who_takes_its_stake_back_leaves(net, tmp_path):
    old = list(net.nodes)
    new = Node(tmp_path, "new")
    new.init()
    (new.home / "genesis.json").write_text(net.genesis)
    new.configure(old[:1], sync__mode="blocks")  # the others are found by what they announce
    new.start()
    net.nodes.append(new)
    net.reach(10)
    assert validates(new) is False
    keys = [new.home / "keys" / f"{name}.json" for name in ("validator", "node")]
    novate(old[0], "stake", "bond", "0.0001", *keys)
    wait("it validates", lambda: validates(new), nodes=net.nodes)
    reach_epoch(epoch(new), net.nodes)
    assert all(new.key("validator") in members(n) for n in net.nodes)
    wait("all validators are linked",
         lambda: linked(new) == {n.key("node") for n in old}, nodes=net.nodes)
    # Five of equal stake: with one more gone four are enough, so the new one votes.
    old[3].kill()
    net.reach(max(n.height() for n in old[:3]) + 20, [*old[:3], new])
    old[3].start()
    reach_epoch(epoch(new) + 1, net.nodes)
    novate(old[1], "stake", "unbond", "0.0001")
    wait("it left", lambda: validates(new) is False, nodes=net.nodes)
    reach_epoch(epoch(new), net.nodes)
    assert all(new.key("validator") not in members(n) for n in net.nodes)
    net.reach(new.height() + 20)
    new.kill()
    net.reach(old[0].height() + 20, old)
    new.start()
    net.reach(old[0].height() + 20)
    same_chain(net.nodes, min(n.height() for n in net.nodes) - 20)
