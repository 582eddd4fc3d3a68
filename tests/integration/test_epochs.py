"""Short epochs, as clients and newcomers meet them.

Goal: from the genesis alone one comes to the validators of any later epoch by proofs: the command line, a
newcomer that takes a snapshot, one that goes by blocks, one that begins with a later epoch it was told of. Where
the genesis is too old to be believed, that is said, and an epoch that was named is enough; who lies about epochs
is found out.

Method: real validators whose epochs last two seconds; everything waited for is a height, an epoch or a
state, bounded generously. The old chain is one whose genesis is dated back.
"""

import json
import pathlib
import re
import types

import pytest

from net import INSURANCE, Net, wait
from test_cli import NODE_ERROR, USAGE, Cli, Lies, flip
from test_devnet import Devnet, processes_in
from test_sync import Newcomer, begins_to_live, same_roots, snapshots

EPOCH_MS = 2000
EVERY = 25


def epoch(node):
    status = node.status()
    return int(status["epoch"]) if status else 0


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    folder = tmp_path_factory.mktemp("epochs")
    with Net(folder, 4, consensus={"epoch_ms": EPOCH_MS}, snapshot__every=EVERY) as net:
        net.folder = folder
        net.start()
        wait("epochs", lambda: all(epoch(n) >= 5 for n in net.nodes), nodes=net.nodes)
        wait("snapshots", lambda: all(len(snapshots(n)) > 1 for n in net.nodes), nodes=net.nodes)
        yield net


@pytest.fixture
def newcomer(net):
    made = []

    def make(name, **settings):
        made.append(Newcomer(net, net.folder, name, **settings))
        return made[-1]
    yield make
    for node in made:
        if node.alive():
            node.kill()


def joined(node):
    """The epoch and height at which a node's log says that it joined."""
    line = next(l for l in node.log.read_text().splitlines() if "event=joined" in l)
    told = dict(word.split("=", 1) for word in line.split() if "=" in word)
    return int(told["epoch"]), int(told["height"])


def test_ends_of_epochs_are_told(net):
    ends = [net.nodes[0].call("chain_epoch", epoch=str(e)) for e in range(1, 5)]
    for e, end in enumerate(ends, 1):
        assert end == {**net.nodes[1].call("chain_epoch", epoch=str(e)), "certificate": end["certificate"]}
        header = bytes.fromhex(end["header"][2:])
        assert int.from_bytes(header[34:42], "big") == e
    assert len({end["block_hash"] for end in ends}) == len(ends)
    assert "error" in net.nodes[0].ask("chain_epoch", epoch="1000000")


def test_a_newcomer_walks_the_epochs_to_a_snapshot(net, newcomer):
    new = newcomer("walker", sync__mode="snapshot")
    new.start()
    wait("it to join", lambda: new.height() > 0, nodes=[new])
    at, height = joined(new)
    assert at >= 3 and height >= EVERY
    assert same_roots(new, net.nodes[0])
    # It has walked over every epoch, shows the way to others, and follows into the next ones.
    for e in range(1, at):
        assert new.call("chain_epoch", epoch=str(e))["block_hash"] == \
            net.nodes[0].call("chain_epoch", epoch=str(e))["block_hash"]
    wait("later epochs", lambda: epoch(new) >= at + 2, nodes=[new])
    assert new.stop() == 0
    new.start()
    assert same_roots(new, net.nodes[1])
    assert new.call("chain_epoch", epoch="1")["epoch"] == "1"


def test_a_newcomer_goes_by_blocks(net, newcomer):
    new = newcomer("blocks", sync__mode="blocks")
    new.start()
    wait("it to catch up", lambda: epoch(new) >= 5, nodes=[new])
    assert same_roots(new, net.nodes[2])
    assert new.call("chain_block", height="1")["height"] == "1"


def test_a_newcomer_begins_with_a_trusted_epoch(net, newcomer):
    boundary = net.nodes[0].call("chain_epoch", epoch="2")["block_hash"]
    new = newcomer("truster", sync__mode="snapshot", sync__trust=f"3:{boundary}")
    new.start()
    wait("it to join", lambda: new.height() > 0, nodes=[new])
    assert joined(new)[0] >= 3
    assert same_roots(new, net.nodes[3])
    assert "error" in new.ask("chain_epoch", epoch="1")
    assert new.call("chain_epoch", epoch="2")["block_hash"] == boundary
    assert new.stop() == 0
    new.start()
    assert same_roots(new, net.nodes[0])


def test_a_hash_that_nobody_knows_is_not_believed(newcomer):
    new = newcomer("misled", sync__mode="snapshot", sync__trust="3:0x" + "ab" * 32)
    new.start()
    wait("it to notice", lambda: "event=join_untrusted" in new.log.read_text(), nodes=[new])
    assert new.height() < 1
    assert new.stop() == 0


def test_what_is_no_trust_is_refused(newcomer):
    for trust in ("1:0x" + "ab" * 32, "3:0xab", "0:0x" + "ab" * 32, "yesterday"):
        new = newcomer("refused-" + trust[:2].strip(":"), sync__mode="snapshot", sync__trust=trust)
        done = new.run("start")
        assert done.returncode == 78 and "sync.trust" in done.stderr, done.stderr


def test_a_killed_walker_goes_on(net, newcomer):
    new = newcomer("killed", sync__mode="snapshot")
    for _ in range(5):
        begins_to_live(new)
        new.kill()
    new.start()
    wait("it to join", lambda: new.height() > 0, nodes=[new])
    assert same_roots(new, net.nodes[2])


def test_a_validator_that_slept_through_epochs_comes_back(net):
    sleeper, others = net.nodes[3], net.nodes[:3]
    assert sleeper.stop() == 0
    before = epoch(others[0])
    wait("epochs without it", lambda: epoch(others[0]) >= before + 2, nodes=others)
    sleeper.start()
    wait("it to be there", lambda: epoch(sleeper) >= before + 3, nodes=[sleeper])
    assert same_roots(sleeper, others[0])


# ---- the command line ----

@pytest.fixture(scope="module")
def cli(tmp_path_factory):
    devnet = Devnet(str(tmp_path_factory.mktemp("cli-epochs") / "d"))
    devnet.up("--no-bots", "--epoch", "2")
    made = Cli(devnet, tmp_path_factory.mktemp("home"))
    made.mark()
    yield made
    devnet.command("down", check=False)
    assert processes_in(devnet.dir) == []


def seen(cli):
    return json.loads(next(pathlib.Path(cli.devnet.dir).glob("light-*.json")).read_text())


def read_in(cli, number):
    """Reads until what is proved is of an epoch, or a later one, and returns that."""
    def there():
        assert cli.json("account", "alice")["proof"]["checked"] is True
        at = int(seen(cli)["epoch"])
        return at if at >= number else None
    return cli.devnet.wait(there, f"epoch {number}")


def test_reads_are_proved_across_epochs(cli):
    first = read_in(cli, 3)
    assert read_in(cli, first + 1) > first
    # Whoever knows the genesis alone goes the whole way.
    for kept in pathlib.Path(cli.devnet.dir).glob("light-*.json"):
        kept.unlink()
    assert cli.json("account", "alice")["proof"]["checked"] is True
    assert int(seen(cli)["epoch"]) > first


def test_the_validators_are_shown_epoch_by_epoch(cli):
    def later():
        shown = cli.json("validators")
        assert len(shown["validators"]) == 4 and shown["proof"]["checked"] is True
        return int(shown["stake"]["epoch"]) >= 3
    cli.devnet.wait(later, "validators of the third epoch")


# ---- the command line on a chain whose genesis is too old ----

ACCOUNT = ("account", INSURANCE)


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    folder = tmp_path_factory.mktemp("old")
    with Net(folder, 4, age_s=5 * 86400, consensus={"epoch_ms": EPOCH_MS}, snapshot__every=EVERY) as net:
        net.folder = folder
        net.start()
        wait("epochs", lambda: all(epoch(n) >= 6 for n in net.nodes), nodes=net.nodes)
        wait("snapshots", lambda: all(len(snapshots(n)) > 1 for n in net.nodes), nodes=net.nodes)
        yield net


@pytest.fixture
def stranger(old, tmp_path):
    """Somebody who has seen nothing of the chain."""
    url = f"http://127.0.0.1:{old.nodes[0].rpc}"
    return Cli(types.SimpleNamespace(dir=str(tmp_path / "no-devnet"), url=lambda _: url), tmp_path / "home")


def pin(net, number):
    return f"{number}:{net.nodes[1].call('chain_epoch', epoch=str(number - 1))['block_hash']}"


def kept(cli):
    return next(pathlib.Path(cli.home).glob("light-*.json"))


def test_what_to_do_about_an_old_chain_is_said(old, stranger):
    told = stranger.error(*ACCOUNT, code=NODE_ERROR, has=[
        "too old: its validators are those of epoch 1, which began 5 days ago", "why:  they are believed for 2 days",
        "from nodes that you trust, more than one"])
    number, before = re.search(r"next: add --trust (\d+):HASH, .* epoch=(\d+) ", told).groups()
    assert int(number) == int(before) + 1
    end = json.loads(stranger.run("rpc", "chain_epoch", f"epoch={before}").stdout)
    named = f"{number}:{end['block_hash']}"
    assert stranger.json(*ACCOUNT, "--trust", named)["proof"]["checked"] is True
    # What was reached is remembered.
    assert believed(stranger) >= int(number)
    assert stranger.json(*ACCOUNT)["proof"]["checked"] is True
    assert stranger.json("validators")["proof"]["checked"] is True

    def later():
        assert stranger.json(*ACCOUNT)["proof"]["checked"] is True
        return believed(stranger) > int(number)
    wait("another epoch", later, nodes=old.nodes)


def believed(cli):
    return int(json.loads(kept(cli).read_text())["epoch"])


def last_of(node, number):
    """The height of the last block of an epoch that has ended."""
    end = bytes.fromhex(node.call("chain_epoch", epoch=str(number))["header"][2:])
    return int.from_bytes(end[42:50], "big")


def test_blocks_of_an_epoch_before_hang_on_those_after_them(old, stranger):
    stranger.json(*ACCOUNT, "--trust", pin(old, 3))
    height = last_of(old.nodes[0], believed(stranger) - 1)
    earlier = max(1, height - 5)
    for at in (height, earlier):
        assert stranger.json("block", at)["height"] == str(at)

    def told(method, _, answer):
        for block in answer.get("result", {}).get("blocks", [])[:1]:
            block["header"] = flip(block["header"])
        return answer
    lies = Lies(stranger.devnet.url(0))
    try:
        stranger.error("block", earlier, "--node", lies.start(told), code=NODE_ERROR,
                       has=["not proved to be final", "is not that of the final block's ancestor"])
    finally:
        lies.stop()


def test_an_answer_of_an_epoch_before_is_old_and_still_proved(old, stranger):
    """A node that is behind where an epoch ends tells nothing false."""
    first = {}

    def told(method, _, answer):
        if "proof" in answer.get("result", {}):
            return first.setdefault(method, answer)
        return answer
    lies = Lies(stranger.devnet.url(0))
    try:
        behind = lies.start(told)
        proof = stranger.json(*ACCOUNT, "--trust", pin(old, 3), "--node", behind)["proof"]
        wait("a later state", lambda: stranger.json(*ACCOUNT)["proof"]["epoch"] != proof["epoch"], nodes=old.nodes)
        again = stranger.json(*ACCOUNT, "--node", behind)["proof"]
        assert (again["height"], again["epoch"]) == (proof["height"], proof["epoch"])
    finally:
        lies.stop()


def test_validators_are_those_of_the_nodes_epoch(old, stranger):
    def told(method, _, answer):
        if method == "chain_validators" and "result" in answer:
            answer["result"]["epoch"] = "2"
        return answer
    stranger.json(*ACCOUNT, "--trust", pin(old, 3))
    lies = Lies(stranger.devnet.url(0))
    try:
        stranger.error("validators", "--node", lies.start(told), code=NODE_ERROR, has=["the node is behind"])
    finally:
        lies.stop()
    before = believed(stranger)
    answer = stranger.json("validators")
    assert int(answer["epoch"]) >= before and len(answer["validators"]) == 4


def test_a_genesis_file_does_not_make_it_younger(old, stranger, tmp_path):
    genesis = tmp_path / "genesis.json"
    genesis.write_text(old.genesis)
    stranger.error(*ACCOUNT, "--genesis", genesis, code=NODE_ERROR, has=["too old"])
    told = stranger.json(*ACCOUNT, "--genesis", genesis, "--trust", pin(old, 3))
    assert told["proof"]["checked"] is True


def test_a_pin_that_is_none_is_refused(stranger):
    for text in ("yesterday", "3:0xab", "1:0x" + "ab" * 32):
        stranger.error(*ACCOUNT, "--trust", text, code=USAGE, has=["must be EPOCH:HASH", "why:", "next:"])
    assert not list(pathlib.Path(stranger.home).glob("light-*"))


def test_a_pin_of_another_chain_is_refused(old, stranger):
    stranger.error(*ACCOUNT, "--trust", flip(pin(old, 3)), code=NODE_ERROR,
                   has=["does not show the beginning of epoch 3 that --trust names", "has another hash"])
    stranger.error(*ACCOUNT, "--trust", pin(old, 3).replace("3:", "4:"), code=NODE_ERROR, has=["has another hash"])
    stranger.error(*ACCOUNT, "--trust", "1000000:0x" + "ab" * 32, code=NODE_ERROR, has=["not_held"])
    assert not list(pathlib.Path(stranger.home).glob("light-*"))


def test_a_pin_does_not_lead_back(old, stranger):
    assert stranger.json(*ACCOUNT, "--trust", pin(old, 3))["proof"]["checked"] is True
    number = believed(stranger)
    told = stranger.run(*ACCOUNT, "--trust", pin(old, 2))
    assert "--trust is not needed: epoch " in told.stderr
    assert believed(stranger) >= number
    number = believed(stranger)
    stranger.error(*ACCOUNT, "--trust", f"{number}:0x" + "ab" * 32, code=NODE_ERROR,
                   has=["--trust contradicts what was seen", str(kept(stranger))])


def test_a_damaged_memory_is_none(old, stranger):
    stranger.json(*ACCOUNT, "--trust", pin(old, 3))
    path = kept(stranger)
    path.write_bytes(path.read_bytes()[:-100])
    stranger.error(*ACCOUNT, code=NODE_ERROR, has=["is damaged, and is now", "next: nothing", "too old"])
    assert pathlib.Path(f"{path}.damaged").exists()
    assert stranger.json(*ACCOUNT, "--trust", pin(old, 3))["proof"]["checked"] is True
    assert stranger.json(*ACCOUNT)["proof"]["checked"] is True


def lies_about_epochs(net):
    """(epochs that are lied about, the lie, what is said): each of one answer."""
    def other(by):
        def lie(number, _):
            return net.nodes[0].call("chain_epoch", epoch=str(number + by))
        return lie

    def bent(*members, at):
        def lie(_, end):
            return {**end, **{name: flip(end[name], at) for name in members}}
        return lie

    def mixed(number, end):
        """The right block, and the validators and certificate of the next epoch's end."""
        return {**other(1)(number, end), "header": end["header"]}

    return [
        (2, bent("next_validators", at=-1), "are not those that the boundary names"),
        (2, bent("header", at=-1), "has another hash"),
        (2, other(1), "has another hash"),
        (3, bent("next_validators", at=-1), "are not those that the boundary names"),
        (3, bent("certificate", at=-1), "not signed by more than two thirds"),
        (3, bent("header", at=-1), "certificate is of another block"),
        (3, other(1), "of a later epoch than the one that is believed"),
        (4, other(-1), "of an epoch before the one that is believed"),
        (4, mixed, "certificate is of another block"),
    ]


def test_who_lies_about_epochs_is_found_out(old, stranger):
    lies = Lies(stranger.devnet.url(0))
    try:
        for at, lie, said in lies_about_epochs(old):
            def told(method, params, answer, at=at, lie=lie):
                if method == "chain_epoch" and int(params["epoch"]) == at and "result" in answer:
                    return {**answer, "result": lie(at, answer["result"])}
                return answer
            stranger.error(*ACCOUNT, "--node", lies.start(told), "--trust", pin(old, 3), code=NODE_ERROR, has=[said])
            assert not list(pathlib.Path(stranger.home).glob("light-*"))
    finally:
        lies.stop()
    assert stranger.json(*ACCOUNT, "--trust", pin(old, 3))["proof"]["checked"] is True


def test_a_node_asks_for_an_epoch_too(old):
    new = Newcomer(old, old.folder, "late", sync__mode="snapshot")
    try:
        new.start()
        assert new.ended() == 78
        assert "too old to be believed" in new.log_tail() and "sync.trust = EPOCH:HASH" in new.log_tail()
        new.configure(old.nodes, sync__mode="snapshot", sync__trust=pin(old, epoch(old.nodes[1]) - 1))
        new.start()
        wait("it to join", lambda: new.height() > 0, nodes=[new])
        assert same_roots(new, old.nodes[2])
    finally:
        if new.alive():
            new.kill()
