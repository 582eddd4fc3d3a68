"""test_node.py - real daemons on loopback: one, four, and what goes wrong.

Method: homes made by `novated init`, one genesis, real sockets and files.  A
test waits for conditions, never for time, and looks at heights, roots and exit
codes as a client and an operator see them.
"""

import re
import resource
import shutil
import signal

import pytest

from net import Net, Node, genesis, stands_still, wait

SECTOR = 512  # batches of the journal end at its multiples


@pytest.fixture(name="four")
def _four(tmp_path):
    with Net(tmp_path, 4) as net:
        net.start()
        net.reach(3)
        yield net


@pytest.fixture(name="one")
def _one(tmp_path):
    with Net(tmp_path, 1) as net:
        net.start()
        net.reach(3)
        yield net.nodes[0]


def roots(nodes, seen):
    """Adds each node's (height, root) to `seen` and returns where two nodes differ."""
    for node in nodes:
        status = node.status()
        if status:
            height = int(status["executed"]["height"])
            seen.setdefault(height, {})[node.name] = status["executed"]["state_root"]
    return [h for h, by in seen.items() if len(set(by.values())) > 1]


def agree(nodes, heights):
    """Waits until all nodes were seen at `heights` common heights, with equal roots."""
    seen = {}

    def enough():
        assert not roots(nodes, seen), seen
        return sum(len(by) == len(nodes) for by in seen.values()) >= heights
    wait("common heights", enough, nodes=nodes)


def same_chain(nodes, height):
    blocks = {n.name: n.call("chain_block", height=str(height))["block_hash"] for n in nodes}
    assert len(set(blocks.values())) == 1, blocks


# ---- one node ----

def test_one_stops_cleanly_and_goes_on(one):
    height = one.height()
    assert one.stop() == 0
    for _ in range(2):
        one.start()
        wait("new blocks", lambda: one.height() > height + 3, nodes=[one])
        height = one.height()
        assert one.stop() == 0
    assert "level=error" not in one.log_tail(1000)


def test_one_survives_kill(one):
    for _ in range(3):
        height = one.height()
        one.kill()
        one.start()
        wait("new blocks", lambda: one.height() > height + 2, nodes=[one])
    assert int(one.call("chain_block", height="1")["height"]) == 1


def test_interrupt_is_clean_too(one):
    one.process.send_signal(signal.SIGINT)
    assert one.ended() == 0


def test_second_instance_is_refused(one):
    done = one.run("start")
    assert done.returncode == 69
    assert "another instance" in done.stderr and "try:" in done.stderr
    assert one.alive()


def test_taken_port_is_named(one, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    with Net(other, 1) as net:
        done = net.nodes[0].run("start", "--rpc-listen", f"127.0.0.1:{one.rpc}")
        assert done.returncode == 1
        assert "rpc.listen" in done.stderr


def test_checkpoint_is_enough(one):
    """The database holds what was executed: a clean end leaves nothing to run again."""
    assert one.stop() == 0
    one.start()
    wait("an answer", one.status, nodes=[one])
    line = next(l for l in one.log_tail(1000).splitlines()[::-1] if "stage=execute" in l)
    fields = dict(pair.split("=", 1) for pair in line.split() if "=" in pair)
    assert fields["from"] == fields["height"], line


def test_database_is_rebuilt_from_the_journal(one):
    height = one.height()
    assert one.stop() == 0
    shutil.rmtree(one.home / "data" / "state")
    one.start()
    wait("new blocks", lambda: one.height() > height, nodes=[one])
    assert int(one.call("chain_block", height="1")["height"]) == 1


# ---- four nodes ----

def test_four_agree(four):
    agree(four.nodes, 3)
    same_chain(four.nodes, 2)
    assert [n.call("node_status")["validator"] is not None for n in four.nodes] == [True] * 4
    wait("all to be linked with all", lambda: all(n.call("node_status")["peers"] == 3 for n in four.nodes),
         nodes=four.nodes)
    for node in four.nodes:
        assert node.stop() == 0


def test_killed_one_catches_up(four):
    victim, others = four.nodes[1], [n for i, n in enumerate(four.nodes) if i != 1]
    victim.kill()
    height = max(n.height() for n in others)
    four.reach(height + 8, others)
    victim.start()
    four.reach(max(n.height() for n in others) + 3)
    agree(four.nodes, 2)
    same_chain(four.nodes, height + 4)


def test_two_dead_halt_and_resume(four):
    dead, rest = four.nodes[:2], four.nodes[2:]
    for node in dead:
        node.kill()
    halted = stands_still(rest)
    dead[0].start()
    four.reach(halted + 4, rest + dead[:1])
    dead[1].start()
    four.reach(halted + 8)
    agree(four.nodes, 2)


def test_all_killed_at_once_go_on(four):
    height = max(n.height() for n in four.nodes)
    for node in four.nodes:
        node.kill()
    four.start()
    four.reach(height + 5)
    agree(four.nodes, 2)
    same_chain(four.nodes, height)


def test_lost_data_of_a_follower_comes_back(four, tmp_path):
    follower = Node(tmp_path, "follower")
    follower.init()
    (follower.home / "genesis.json").write_text(four.genesis)
    follower.configure(four.nodes)
    four.nodes.append(follower)
    follower.start()
    four.reach(8)
    assert follower.call("node_status")["validator"] is None
    assert follower.stop() == 0
    shutil.rmtree(follower.home / "data")
    follower.start()
    four.reach(four.nodes[0].height() + 3)
    agree(four.nodes, 2)


def test_copy_of_a_running_home_does_not_sign(four, tmp_path):
    """A second node with the same keys and an old journal finds out, and stops."""
    first, others = four.nodes[0], four.nodes[1:]
    assert first.stop() == 0
    twin = Node(tmp_path, "twin")
    shutil.copytree(first.home, twin.home)
    twin.configure(others)
    height = max(n.height() for n in others)
    first.start()
    four.reach(height + 5)
    four.nodes.append(twin)
    twin.start()
    assert twin.ended() == 79
    assert "another running node signs" in twin.log_tail()
    four.nodes.pop()
    four.reach(max(n.height() for n in others) + 3)


def test_another_chain_is_not_spoken_to(four, tmp_path):
    stranger = Node(tmp_path, "stranger")
    stranger.init()
    (stranger.home / "genesis.json").write_text(genesis([stranger]))
    stranger.configure(four.nodes)
    four.nodes.append(stranger)
    stranger.start()
    wait("refused links", lambda: "reason=CHAIN" in stranger.log_tail(1000)
         or "why=CHAIN" in stranger.log_tail(1000), nodes=[stranger])
    assert stranger.call("node_status")["peers"] == 0
    four.nodes.pop()
    assert stranger.stop() == 0


# ---- what is refused at start ----

@pytest.fixture(name="still")
def _still(one):
    """A node that has voted and was stopped."""
    assert one.stop() == 0
    return one


def flip(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 1]))


def test_other_genesis_is_refused(still):
    (still.home / "genesis.json").write_text(genesis([still]))
    done = still.run("start")
    assert done.returncode == 78
    assert "holds the chain 0x" in done.stderr and "try:" in done.stderr


def test_missing_genesis_is_refused(still):
    (still.home / "genesis.json").unlink()
    done = still.run("start")
    assert done.returncode == 78
    assert "genesis.json" in done.stderr


def test_missing_journal_is_not_signed_over(still):
    shutil.rmtree(still.home / "data")
    done = still.run("start")
    assert done.returncode == 79
    assert "its journal is missing" in done.stderr and "try:" in done.stderr


def test_other_journal_is_not_signed_over(still, tmp_path):
    """The same keys and chain, but a journal that was begun anew elsewhere."""
    keys = still.home / "keys" / "validator.json"
    voted = keys.read_text()
    shutil.rmtree(still.home / "data")
    start = voted[:voted.index('"journals"')] + '"journals": []\n}\n'
    keys.write_text(start)
    still.start()
    wait("blocks", lambda: still.height() > 2, nodes=[still])
    assert still.stop() == 0
    for text in (voted, start):
        keys.write_text(text)
        done = still.run("start")
        assert done.returncode == 79, done.stderr


def test_damaged_journal_is_not_signed_over(still):
    segment = still.home / "data" / "journal" / "journal-00000001"
    flip(segment, 700)  # inside the first batch
    done = still.run("start")
    assert done.returncode == 79
    assert "damaged" in done.stderr and "try:" in done.stderr


def test_damaged_database_is_refused(still):
    data = still.home / "data" / "state" / "data.mdb"
    content = data.read_bytes()
    at = content.find(b"BTC-PERP")
    assert at > 0
    while at > 0:  # in every page that ever held the row
        flip(data, at)
        at = content.find(b"BTC-PERP", at + 1)
    done = still.run("start")
    assert done.returncode == 74, done.stderr
    assert "move" in done.stderr and "try:" in done.stderr
    shutil.rmtree(still.home / "data" / "state")  # what the hint says
    still.start()
    wait("an answer", still.status, nodes=[still])
    assert still.stop() == 0


def written(segment):
    """The end of what is written in a segment of the journal, whose rest is zeros."""
    size = len(segment.read_bytes().rstrip(b"\0"))
    return -(-size // SECTOR) * SECTOR


def test_failing_disk_ends_the_node_at_once(still):
    """A write that fails is not tried again; nothing of before is lost."""
    end = written(still.home / "data" / "journal" / "journal-00000001")

    def start(limit):
        room = (limit, limit)
        done = still.run("start", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, room))
        assert done.returncode == 74, done.stderr
        assert "try: make room" in done.stderr
        return done
    done = start(end - SECTOR)  # it writes its last sector again when it opens
    assert "cannot be opened: the disk is full" in done.stderr
    done = start(end)
    assert "cannot be written: the disk is full" in done.stderr
    height = int(re.search(r"event=started height=(\d+)", done.stderr).group(1))
    still.start()
    wait("new blocks", lambda: still.height() > height + 1, nodes=[still])
    assert still.stop() == 0


def test_configuration_errors_name_the_nearest(still):
    done = still.run("start", "--rpc-lisen", "x")
    assert done.returncode == 2 and "--rpc-listen?" in done.stderr
    done = still.run("strat")
    assert done.returncode == 2 and "start?" in done.stderr
    config = still.home / "novate.conf"
    good = config.read_text()
    config.write_text(good.replace("metrics =", "metric ="))
    done = still.run("start")
    assert done.returncode == 78 and "rpc.metrics?" in done.stderr
    config.write_text(good.replace("segment_mib = 16", "segment_mib = 16000"))
    done = still.run("config", "check")
    assert done.returncode == 78 and "limits.segment_mib" in done.stderr
    config.write_text(good)
    done = still.run("config", "show", "--origin", env={"NOVATE_NODE_NAME": "n"})
    assert done.returncode == 0
    assert "node.name = n  (environment NOVATE_NODE_NAME)" in done.stdout
    assert still.run("config", "check").stdout == "ok\n"


def test_keys_that_others_may_read_are_refused(still):
    key = still.home / "keys" / "validator.json"
    key.chmod(0o644)
    done = still.run("start")
    assert done.returncode == 78 and "chmod 600" in done.stderr


def test_home_is_never_overwritten(still):
    before = still.key("validator")
    done = still.run("init")
    assert done.returncode == 1 and "home already" in done.stderr
    assert still.key("validator") == before


def test_no_home_says_init(tmp_path):
    done = Node(tmp_path, "nowhere").run("start")
    assert done.returncode == 78 and "init" in done.stderr
