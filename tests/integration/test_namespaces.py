"""Validators on hosts of their own, whose links go down and up.

Goal: a cable that is pulled is borne like any other silence: no reset tells the nodes, so they must find
out by themselves, and link again when it is back.

Method: namespaces.py; skipped, and said so, where namespaces cannot be made.
"""

import pytest

from namespaces import HostNet, missing
from net import stands_still

WHY = missing()
pytestmark = pytest.mark.skipif(WHY is not None, reason=WHY or "")


@pytest.fixture(scope="module", name="net")
def _net(tmp_path_factory):
    with HostNet(tmp_path_factory.mktemp("hosts"), 4) as net:
        net.start()
        net.reach(3)
        yield net


def top(net):
    return max(node.height() for node in net.nodes)


def test_a_pulled_cable_stops_nobody_else(net):
    victim, rest = net.nodes[1], [n for n in net.nodes if n is not net.nodes[1]]
    victim.link(False)
    net.reach(top(net) + 10, rest)
    victim.link(True)
    net.reach(top(net) + 5)


def test_two_pulled_cables_halt_and_all_goes_on_when_they_are_back(net):
    for host in net.nodes[:2]:
        host.link(False)
    halted = stands_still(net.nodes)
    for host in net.nodes[:2]:
        host.link(True)
    net.reach(halted + 5)


def test_one_chain(net):
    height = min(n.height() for n in net.nodes)
    hashes = {n.call("chain_block", height=str(height))["block_hash"] for n in net.nodes}
    assert len(hashes) == 1


def test_they_end_in_order(net):
    for node in net.nodes:
        assert node.stop() == 0, node.log_tail()
