"""Joining a live network by a snapshot.

Goal: a node with nothing but the genesis file and peers comes to the state of the others without
their old blocks, and believes none of those peers.

Method: real validators that make snapshots often; a newcomer with an empty home; equal heights
must have equal roots. Waits are for heights and stages, bounded generously.
"""

import pytest

from net import Net, Node, wait

EVERY = 25


class Newcomer(Node):
    """A node of the network that does not validate, with an empty home."""

    def __init__(self, net, folder, name, peers=None, **settings):
        super().__init__(folder, name)
        self.init()
        (self.home / "genesis.json").write_text(net.genesis)
        self.configure(net.nodes if peers is None else peers, **settings)


def snapshots(node):
    folder = node.home / "data" / "snapshots"
    if not folder.exists():
        return []
    return sorted(int(p.name) for p in folder.iterdir() if p.name.isdigit())


def same_roots(a, b):
    """Waits until two nodes were seen at one height, and returns whether their roots agree there."""
    seen = {}

    def meet():
        for node in (a, b):
            status = node.status()
            if status:
                executed = status["executed"]
                seen.setdefault(executed["height"], {})[node.name] = executed["state_root"]
        return next((s for s in seen.values() if len(s) == 2), None)
    pair = wait("two nodes at one height", meet, nodes=(a, b))
    return len(set(pair.values())) == 1


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    with Net(tmp_path_factory.mktemp("sync"), 4, snapshot__every=EVERY) as net:
        net.folder = net.nodes[0].home.parent
        net.start()
        net.reach(2 * EVERY + 5)
        wait("snapshots", lambda: all(snapshots(n) for n in net.nodes), nodes=net.nodes)
        yield net


def test_validators_make_the_same_snapshots(net):
    def common():
        return set.intersection(*(set(snapshots(n)) for n in net.nodes))
    height = max(wait("a snapshot that all have", common, nodes=net.nodes))
    assert height % EVERY == 0
    texts = {(n.home / "data" / "snapshots" / str(height) / "manifest").read_bytes()
             for n in net.nodes}
    assert len(texts) == 1


def test_a_newcomer_joins_by_a_snapshot(net):
    new = Newcomer(net, net.folder, "new", sync__mode="snapshot")
    try:
        new.start()
        at = wait("the newcomer", lambda: new.height() > 0 and new.height(), nodes=[new])
        assert at >= EVERY
        assert same_roots(new, net.nodes[0])
        text = new.log.read_text()
        assert "event=joined" in text
        # What is below the snapshot was not fetched.
        assert "error" in new.ask("block_get", height="1")
        # It goes on from its own disk, and passes the snapshot on.
        assert new.stop() == 0
        assert snapshots(new)
        new.start()
        assert same_roots(new, net.nodes[1])
    finally:
        if new.alive():
            new.kill()
