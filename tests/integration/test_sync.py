"""Joining a live network by a snapshot.

Goal: a node with nothing but the genesis file and peers comes to the state of the others without
their old blocks, and believes none of those peers.

Method: real validators that make snapshots often; a newcomer with an empty home; equal heights
must have equal roots. Waits are for heights and stages, bounded generously.
"""

import contextlib
import shutil

import pytest

from net import Net, Node, wait

EVERY = 25
KEPT = 2  # newest snapshots that a node keeps


class Newcomer(Node):
    """A node of the network that does not validate, with an empty home."""

    def __init__(self, net, folder, name, peers=None, **settings):
        super().__init__(folder, name)
        self.init()
        (self.home / "genesis.json").write_text(net.genesis)
        self.configure(net.nodes if peers is None else peers, **settings)


def shelf(node):
    return node.home / "data" / "snapshots"


def snapshots(node):
    if not shelf(node).exists():
        return []
    return sorted(int(p.name) for p in shelf(node).iterdir() if p.name.isdigit())


def begins_to_live(node):
    """Starts a node and waits until it says something."""
    before = node.log.stat().st_size if node.log.exists() else 0
    node.start()
    wait("a sign of life", lambda: node.log.stat().st_size > before, nodes=[node])
    assert node.alive(), node.log_tail()


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
        height = max(set.intersection(*(set(snapshots(n)) for n in net.nodes)), default=0)
        try:
            return height, {(shelf(n) / str(height) / "manifest").read_bytes() for n in net.nodes}
        except FileNotFoundError:  # none, or newer ones took its place meanwhile
            return None
    height, texts = wait("a snapshot that all have", common, nodes=net.nodes)
    assert height > 0 and height % EVERY == 0
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
        assert "error" in new.ask("chain_block", height="1")
        # It goes on from its own disk, and passes the snapshot on.
        assert new.stop() == 0
        assert snapshots(new)
        new.start()
        assert same_roots(new, net.nodes[1])
    finally:
        if new.alive():
            new.kill()


def test_a_killed_joiner_goes_on(net):
    """Killed again and again, from the first moments on, it comes to the same state."""
    new = Newcomer(net, net.folder, "killed", sync__mode="snapshot")
    try:
        for _ in range(6):
            begins_to_live(new)
            new.kill()
        new.start()
        wait("the newcomer", lambda: new.height() > 0, nodes=[new])
        assert same_roots(new, net.nodes[2])
    finally:
        if new.alive():
            new.kill()


def test_a_liar_is_found_out(net):
    """A peer whose chunks are not those of the snapshot is left out, and the others are enough."""
    folder = net.folder / "liar"
    folder.mkdir()
    liar = Newcomer(net, folder, "liar", sync__mode="snapshot")
    new = None
    try:
        liar.start()
        wait("the liar to join", lambda: snapshots(liar), nodes=[liar])
        liar.stop()
        chunk = shelf(liar) / str(snapshots(liar)[-1]) / "chunk-00000000"
        text = bytearray(chunk.read_bytes())
        text[len(text) // 2] ^= 1
        chunk.write_bytes(text)
        # At first the newcomer knows nobody but the liar.
        new = Newcomer(net, folder, "new", peers=[liar], sync__mode="snapshot")
        liar.start()
        wait("the liar to run", lambda: liar.height() > 0, nodes=[liar])
        new.start()
        wait("it to be found out", lambda: "event=peer_banned" in new.log.read_text(), nodes=[new, liar])
        assert new.height() < 1
        assert new.stop() == 0
        new.configure([liar, *net.nodes], sync__mode="snapshot")
        new.start()
        wait("the newcomer", lambda: new.height() > 0, nodes=[new])
        assert same_roots(new, net.nodes[3])
    finally:
        for node in (liar, new):
            if node is not None and node.alive():
                node.kill()


def test_progress_is_told(net):
    """While it fetches, the newcomer answers over RPC and says how far it is."""
    new = Newcomer(net, net.folder, "told", peers=[], sync__mode="snapshot")
    try:
        new.start()
        status = wait("an answer", new.status, nodes=[new])
        assert status["stage"] == "syncing" and status["note"].startswith("snapshot: listing")
        assert new.stop() == 0
    finally:
        if new.alive():
            new.kill()


def test_trust_in_another_set_is_refused(net):
    new = Newcomer(net, net.folder, "trust", sync__mode="snapshot", sync__trust="1:0x" + "ab" * 32)
    done = new.run("start")
    assert done.returncode == 78 and "sync.trust" in done.stderr


def copy_newest(donor, new):
    """Copies a snapshot as if it had just been fetched, and returns its height; None when the donor may have
    begun to remove it meanwhile."""
    height = snapshots(donor)[-1]
    copy = shelf(new) / f"{height}.sync"
    with contextlib.suppress(FileNotFoundError, shutil.Error):
        shutil.copytree(shelf(donor) / str(height), copy)
    if height in snapshots(donor)[-KEPT:]:
        return height
    shutil.rmtree(copy, ignore_errors=True)
    return None


def test_a_kill_while_taking_over_is_made_good(net):
    """Everything was fetched and the node was killed before, or behind, the rows were loaded."""
    new = Newcomer(net, net.folder, "taking", peers=[], sync__mode="snapshot")
    shelf(new).mkdir(parents=True, mode=0o700)
    height = wait("a snapshot", lambda: copy_newest(net.nodes[0], new), nodes=net.nodes)
    try:
        new.start()
        wait("it to take over", lambda: new.height() == height, nodes=[new])
        root = new.call("node_status")["executed"]["state_root"]
        assert new.stop() == 0
        # The rows are there, and the records that say so are not.
        shutil.rmtree(new.home / "data" / "journal")
        (shelf(new) / str(height)).rename(shelf(new) / f"{height}.sync")
        new.start()
        wait("it to take over again", lambda: new.height() == height, nodes=[new])
        assert new.call("node_status")["executed"]["state_root"] == root
        assert new.stop() == 0
        # Without the rows it is the same.
        shutil.rmtree(new.home / "data" / "state")
        (shelf(new) / str(height)).rename(shelf(new) / f"{height}.sync")
        new.configure(net.nodes, sync__mode="snapshot")
        new.start()
        wait("it to follow", lambda: new.height() > height, nodes=[new])
        assert same_roots(new, net.nodes[1])
    finally:
        if new.alive():
            new.kill()


def test_who_has_made_a_snapshot_ends_in_order(net):
    node = net.nodes[3]
    assert node.stop() == 0
    assert "event=stopped" in node.log_tail() and "event=stop_cut_short" not in node.log_tail()
    node.start()
    net.reach(max(n.height() for n in net.nodes) + 5)
