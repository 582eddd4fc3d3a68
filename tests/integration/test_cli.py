"""The command line, as a person and as a script use it.

Goal: what it prints is true, what is wrong is said with a next step and an exit code, and a node that
lies is found out.

Method: one devnet without bots, so that the book holds what the tests put there. Lies are told by a proxy
between the command line and an honest node. Waits are for states, never for a time.
"""

import contextlib
import http.server
import itertools
import json
import os
import pathlib
import pty
import subprocess
import threading
import urllib.error
import urllib.request
from decimal import Decimal

import pytest

from devnet import NOVATE, Devnet, processes_in
from patience import BOUND_S, end_of, run

MARKET = "BTC-PERP"
CANNOT_REACH, NODE_ERROR, USAGE, FAILED, UNKNOWN = 3, 4, 2, 1, 5


class Cli:
    """novate with an environment of its own; the node is the devnet's first unless said otherwise."""

    def __init__(self, devnet, home):
        self.devnet = devnet
        self.home = home
        self.genesis = os.path.join(devnet.dir, "genesis.json")
        self.env = {**os.environ, "NOVATE_NODE": devnet.url(0), "NOVATE_DEVNET": devnet.dir,
                    "NOVATE_HOME": str(home)}
        self.env.pop("NOVATE_KEY", None)

    def run(self, *words, code=0, **env):
        changed = {k: v for k, v in {**self.env, **env}.items() if v is not None}
        done = run([NOVATE, *map(str, words)], env=changed)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stderr}{done.stdout}"
        return done

    @contextlib.contextmanager
    def lines(self, *words):
        """The lines that a command prints which goes on; it is ended when they are read, or come too slowly."""
        with subprocess.Popen([NOVATE, *words], stdout=subprocess.PIPE, text=True, env=self.env) as process:
            late = threading.Timer(BOUND_S, process.terminate)
            late.start()
            try:
                yield iter(process.stdout)
            finally:
                late.cancel()
                process.terminate()

    def json(self, *words, **env):
        return json.loads(self.run(*words, "--json", **env).stdout)

    def error(self, *words, code, has=(), **env):
        """What it says on stderr when it fails: each text of `has` is in it."""
        told = self.run(*words, code=code, **env).stderr
        assert told.startswith("novate: "), told
        for text in has:
            assert text in told, f"{text!r} is not in:\n{told}"
        return told

    def mark(self):
        def known():
            mark = self.devnet.rpc("market_get", market=MARKET)["mark"]
            return mark if mark not in (None, "0") else None
        return Decimal(self.devnet.wait(known, "a mark"))

    def near(self, share):
        """A price so far from the mark, as the market writes it."""
        price = (self.mark() * Decimal(share)).quantize(Decimal("0.1"))
        text = f"{price:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


@pytest.fixture(scope="module")
def cli(tmp_path_factory):
    devnet = Devnet(str(tmp_path_factory.mktemp("cli") / "d"))
    devnet.up("--no-bots", "--epoch", "86400")  # the first epoch outlasts whatever is done here
    made = Cli(devnet, tmp_path_factory.mktemp("home"))
    made.mark()
    yield made
    devnet.command("down", check=False)
    assert processes_in(devnet.dir) == []


@pytest.fixture(autouse=True)
def empty_book(cli):
    yield
    for name in ("alice", "bob"):
        cli.run("cancel", "--all", "--key", name)


class Liar(http.server.BaseHTTPRequestHandler):
    """Hands requests on to a node and lets `lie(method, params, answer)` change each answer."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = json.loads(body)
        request = urllib.request.Request(self.server.node, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=BOUND_S) as honest:
                status, answer = honest.status, json.load(honest)
        except urllib.error.HTTPError as refused:  # "busy" and the like have a status of their own
            status, answer = refused.code, json.load(refused)
        told = json.dumps(self.server.lie(asked["method"], asked.get("params") or {}, answer)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_):
        pass


class Lies:
    """Nodes that lie, each in its own way, about what the node at a URL says."""

    def __init__(self, node):
        self.node = node
        self.servers = []

    def start(self, lie):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
        server.node = self.node
        server.lie = lie
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    def stop(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()


@pytest.fixture
def lying(cli):
    """lying(lie) is the URL of a node that lies so."""
    lies = Lies(cli.devnet.url(0))
    yield lies.start
    lies.stop()


def flip(text, at=-1):
    """The hex text with one digit changed."""
    digits = list(text)
    digits[at] = "0" if digits[at] != "0" else "1"
    return "".join(digits)


# --- trading ---


def test_markets_and_book_in_a_pipe_have_no_escapes(cli):
    table = cli.run("markets").stdout
    assert table.splitlines()[0].split()[:4] == ["market", "status", "mark", "index"]
    assert MARKET in table and "\033" not in table
    assert {m["market"] for m in cli.json("markets")} >= {MARKET, "ETH-PERP"}
    cli.run("buy", MARKET, "0.25", "@" + cli.near("0.99"))
    book = cli.run("book", MARKET).stdout
    assert "0.25" in book and "\033" not in book
    assert cli.json("book", MARKET)["bids"][0][1] == "0.25"


def test_an_order_rests_is_hit_and_leaves_positions(cli):
    price = cli.near("1.001")
    placed = cli.json("sell", MARKET, "0.3", "@" + price, "--key", "bob", "--client-id", "71")
    assert placed["fills"] == [] and placed["rest"] == "0.3"
    order = cli.json("orders", "--key", "bob")["orders"][0]
    assert (order["order"], order["side"], order["price"], order["size"], order["client_id"]) == (
        placed["order"], "sell", price, "0.3", "71")
    before = cli.json("positions", "alice")["positions"]
    held = Decimal(before[0]["size"]) if before else Decimal(0)
    taken = cli.json("buy", MARKET, "0.1", "@market")
    assert [(f["price"], f["size"], f["maker"]) for f in taken["fills"]] == [(price, "0.1", False)]
    assert taken["rest"] is None
    after = cli.json("positions", "alice")["positions"][0]
    assert Decimal(after["size"]) == held + Decimal("0.1") and after["market"] == MARKET
    assert cli.json("orders", "--key", "bob")["orders"][0]["size"] == "0.2"
    told = cli.run("cancel", placed["order"], "--key", "bob").stdout
    assert told.startswith(f"cancelled {placed['order']}\n")
    assert cli.json("orders", "--key", "bob")["orders"] == []
    assert cli.json("trades", MARKET)[0]["price"] == price


def test_people_read_what_became_of_their_order(cli):
    price = cli.near("0.995")
    told = cli.run("buy", MARKET, "0.1", "@" + price).stdout
    assert f"buy 0.1 {MARKET} rests at {price}; novate cancel " in told
    assert cli.run("sell", MARKET, "0.04", "@" + price, "--key", "bob").stdout.startswith(
        f"sold 0.04 {MARKET} at {price}, fee ")
    cli.run("cancel", "--all", MARKET)
    assert cli.run("buy", MARKET, "0.1", "@market").stdout.startswith("nothing traded at ")
    assert "cancelled 0" in cli.run("cancel", "--all").stdout


def test_what_the_chain_refuses_is_said_in_its_words(cli):
    price = cli.near("1.005")
    cli.run("sell", MARKET, "0.1", "@" + price, "--key", "bob")
    cli.error("buy", MARKET, "0.1", "@" + price, "--post-only", code=NODE_ERROR,
              has=["post_only_would_cross (4003)", "why:  The post-only order would cross the book.",
                   "next: Price it behind the best opposite order."])
    cli.error("buy", MARKET, "0.1", "@1", code=NODE_ERROR, has=["price_outside_band (4007)"])
    cli.error("buy", MARKET, "900", "@" + cli.near("0.99"), code=NODE_ERROR,
              has=["insufficient_margin (3001)"])
    cli.error("cancel", "12345", code=NODE_ERROR, has=["order_unknown (4001)"])


def test_numbers_that_do_not_fit_name_those_that_do(cli):
    cli.error("buy", MARKET, "0.1004", "@60000", code=USAGE,
              has=["the size 0.1004 lies between two steps", "multiples of 0.001", "next: 0.1\n"])
    cli.error("buy", MARKET, "0.1", "@60000.06", code=USAGE,
              has=["multiples of 0.1", "next: 60000.1\n"])
    cli.error("buy", MARKET, "0.10", "@60000", code=USAGE, has=["next: 0.1\n"])
    cli.error("buy", MARKET, "0", "@60000", code=USAGE, has=["the size 0 is out of range"])
    cli.error("buy", MARKET, "much", "@60000", code=USAGE, has=['"much" cannot be read'])
    cli.error("withdraw", "1.0000001", code=USAGE, has=['"1.0000001" cannot be read'])
    cli.error("buy", MARKET, "0.1", "@market", "--post-only", code=USAGE, has=["exclude each other"])


def test_money_moves(cli):
    before = Decimal(cli.json("account", "bob")["cash"])
    cli.run("transfer", "bob", "12.5")
    assert Decimal(cli.json("account", "bob")["cash"]) == before + Decimal("12.5")
    cli.run("withdraw", "10", "--key", "bob")
    assert cli.json("account", "bob")["wallet"] == "10"
    cli.run("deposit", "9.75", "--key", "bob")
    assert cli.json("account", "bob")["wallet"] == "0.25"
    cli.error("deposit", "1", "--key", "bob", code=NODE_ERROR, has=["insufficient_balance (3002)"])
    cli.error("transfer", "nobody-yet", "0.5", code=NODE_ERROR, has=["amount_below_minimum"])


def test_stake_comes_and_goes(cli, tmp_path):
    shown = cli.json("validators")
    assert shown["proof"]["checked"] is True
    told = shown["stake"]
    assert [v["stake"] for v in told["validators"]] == ["1000"] * 4
    assert {v["status"] for v in told["validators"]} == {"active"}
    assert "1000" in cli.run("validators").stdout
    cli.run("stake", "delegate", "node0", "25.5")
    cli.run("stake", "undelegate", "node0", "5")
    mine = cli.json("stake")
    assert [s["worth"] for s in mine["stakes"]] == ["20.5"]
    assert mine["proof"]["checked"] is True
    assert [w["worth"] for w in mine["waiting"]] == ["5"]
    assert "20.5" in cli.run("stake", "alice").stdout
    cli.error("stake", "withdraw", "node0", code=NODE_ERROR, has=["stake_locked", "8009"])
    cli.error("stake", "delegate", "bob", "5", code=NODE_ERROR, has=["validator_unknown"])
    cli.error("stake", "delegate", "node0", "0.5", code=NODE_ERROR, has=["stake_minimum"])
    cli.error("stake", "commission", "1.5", code=USAGE, has=["1.5"])
    keys = [str(tmp_path / name) for name in ("votes.json", "node.json")]
    for key in keys:
        cli.run("keys", "new", key)
    cli.error("stake", "bond", "999", *keys, code=NODE_ERROR, has=["stake_minimum"], NOVATE_KEY="bob")
    cli.run("stake", "bond", "1500", *keys, "--commission", "0.07", NOVATE_KEY="bob")
    bonded = [v for v in cli.json("validators")["stake"]["validators"] if v["stake"] == "1500"]
    assert [(v["commission"], v["index"]) for v in bonded] == [("0.07", None)]
    cli.error("stake", "bond", "1500", *keys, code=NODE_ERROR, has=["validator_exists"], NOVATE_KEY="alice")
    other = str(tmp_path / "other.json")
    cli.run("keys", "new", other)
    cli.error("stake", "bond", "1500", other, keys[1], code=NODE_ERROR, has=["validator_exists"], NOVATE_KEY="alice")
    cli.run("stake", "add", "10", NOVATE_KEY="bob")
    cli.run("stake", "unbond", "1510", NOVATE_KEY="bob")
    cli.run("transfer", "node1", "5", NOVATE_KEY="keeper")
    cli.error("stake", "claim", code=NODE_ERROR, has=["stake_unknown"], NOVATE_KEY="node1")


def test_validators_are_read_page_by_page(cli, lying):
    """Pages of two by a node whose word is taken; an epoch that ends between pages; pages without end."""
    whole = cli.devnet.rpc("stake_validators")

    def pages(epochs, last=lambda params: "cursor" in params):
        def page(method, params, answer):
            if method != "stake_validators":
                return answer
            half = whole["validators"][2:] if "cursor" in params else whole["validators"][:2]
            return {**answer, "result": {**whole, "epoch": str(next(epochs)), "validators": half,
                                         "cursor": None if last(params) else "3"}}
        return ("validators", "--trust-node", "--node", lying(page))
    told = cli.json(*pages(itertools.repeat(7)))["stake"]
    assert told == {**{k: v for k, v in whole.items() if k != "cursor"}, "epoch": "7"}
    told = cli.json(*pages(iter([7, 8, 8, 8])))["stake"]
    assert told["validators"] == whole["validators"] and told["epoch"] == "8"
    cli.error(*pages(itertools.count()), code=FAILED, has=["cannot be read as a whole"])
    cli.error(*pages(itertools.repeat(7), last=lambda _: False), code=NODE_ERROR, has=["does not end"])


def test_stakes_are_read_page_by_page(cli, lying):
    """Pages of one by a node whose word is taken: both lists are whole, and the account is asked for each time."""
    whole = {**cli.devnet.rpc("stake_get", address=cli.json("stake")["address"]), "epoch": "7"}
    stake, waiting = ({"validator": whole["address"], "worth": worth} for worth in ("1", "2"))
    at = f"0x15{int(whole['account']):016x}{'00' * 23}"

    def page(method, params, answer):
        if method != "stake_get":
            return answer
        assert params["address"] == whole["address"]
        first = "cursor" not in params
        return {**answer, "result": {**whole, "stakes": [stake] if first else [], "waiting": [] if first else [waiting],
                                     "cursor": at if first else None}}
    told = cli.json("stake", "--trust-node", "--node", lying(page))
    assert (told["stakes"], told["waiting"]) == ([stake], [waiting]) and "cursor" not in told


def test_a_key_file_acts(cli, tmp_path):
    path = tmp_path / "trader.json"
    made = cli.json("keys", "new", path)
    assert path.stat().st_mode & 0o077 == 0
    assert cli.json("keys", "show", path)["address"] == made["address"]
    assert made["address"] in cli.run("keys", "list", tmp_path).stdout
    cli.error("keys", "new", path, code=FAILED, has=["cannot be made"])
    cli.error("account", "--key", path, code=NODE_ERROR, has=["account_unknown (6004)"])
    cli.run("transfer", made["address"], "100")
    cli.run("transfer", "alice", "1", "--key", path)
    assert cli.json("account", NOVATE_KEY=str(path))["cash"] == "98.9999"
    wrong = made["address"].swapcase().replace("0X", "0x")
    cli.error("account", wrong, code=USAGE, has=["EIP-55", f"next: {made['address']}"])


# --- what is printed is proved ---


def test_an_account_is_checked_and_its_proof_kept(cli, tmp_path):
    saved = tmp_path / "account.json"
    account = cli.json("account", "alice", "--save", saved)
    assert account["proof"]["checked"] is True and account["proof"]["signers"] >= 3
    assert account["unproved"]["initial_margin"] is not None
    assert "checked: state after block" in cli.run("account", "alice").stdout
    offline = {"NOVATE_NODE": "http://127.0.0.1:1", "NOVATE_DEVNET": None}
    proved = cli.json("proof-check", saved, "--genesis", cli.genesis, **offline)
    assert proved["cash"] == account["cash"] and proved["proof"]["height"] == account["proof"]["height"]
    text = cli.run("proof-check", saved, "--genesis", cli.genesis, **offline).stdout
    assert f"after block {account['proof']['height']}" in text and account["address"] in text
    cli.error("proof-check", saved, code=USAGE, has=["no genesis is given"], **offline)


@pytest.mark.parametrize("spoil, why", [
    (lambda a: a["proof"].update(header=flip(a["proof"]["header"])), "another block"),
    (lambda a: a["proof"].update(header=a["proof"]["header"][:-2]), "header is malformed"),
    (lambda a: a["proof"].update(certificate=flip(a["proof"]["certificate"])), "two thirds"),
    (lambda a: a["proof"].update(proof=flip(a["proof"]["proof"])), "proof"),
    (lambda a: a["proof"].update(height="1"), "not those of the final block"),
    (lambda a: a.update(cash="1000000"), '"cash"'),
    (lambda a: a.update(stage="closing"), '"stage"'),
    (lambda a: a.pop("equity"), '"equity"'),
    (lambda a: a.pop("proof"), "without a proof"),
])
def test_a_spoilt_proof_is_refused(cli, tmp_path, spoil, why):
    saved = tmp_path / "account.json"
    cli.run("account", "alice", "--save", saved)
    whole = json.loads(saved.read_text())
    spoil(whole["answer"])
    saved.write_text(json.dumps(whole))
    cli.error("proof-check", saved, code=NODE_ERROR, has=["the answer is not proved", why])


def test_a_proof_is_of_one_chain_and_one_question(cli, tmp_path):
    saved = tmp_path / "account.json"
    cli.run("account", "alice", "--save", saved)
    other = tmp_path / "genesis.json"
    other.write_text(pathlib.Path(cli.genesis).read_text().replace('"devnet"', '"devnut"', 1))
    cli.error("proof-check", saved, "--genesis", other, code=NODE_ERROR, has=["another chain"])
    whole = json.loads(saved.read_text())
    whole["params"]["address"] = cli.json("keys", "show", "bob")["address"]
    saved.write_text(json.dumps(whole))
    cli.error("proof-check", saved, code=NODE_ERROR, has=["not show all that it is made of"])
    saved.write_text("{}")
    cli.error("proof-check", saved, code=USAGE, has=["is no saved proof"])


def test_a_lying_node_is_found_out(cli, lying):
    def richer(method, _, answer):
        if method == "account_get" and "result" in answer:
            answer["result"]["cash"] = "1000000"
        return answer

    def silent(_, __, answer):
        answer.get("result", {}).pop("proof", None)
        return answer

    url = lying(richer)
    cli.error("account", "alice", "--node", url, code=NODE_ERROR, has=['"cash" in it is not'])
    assert cli.json("account", "alice", "--node", url, "--trust-node")["cash"] == "1000000"
    assert "node's word" in cli.run("account", "alice", "--node", url, "--trust-node").stdout
    cli.error("account", "alice", "--node", lying(silent), code=NODE_ERROR, has=["without a proof"])


def test_an_order_kept_back_is_found_out(cli, lying):
    cli.run("buy", MARKET, "0.1", "@" + cli.near("0.99"))

    def none_open(method, _, answer):
        if method == "order_open" and "result" in answer:
            answer["result"]["orders"] = []
        return answer

    cli.error("orders", "--node", lying(none_open), code=NODE_ERROR, has=['"orders" in it is not'])


def test_nothing_that_is_printed_is_believed_unproved(cli, lying):
    """One lie for each command that prints state; the node's word is taken only where that is said."""
    cli.run("buy", MARKET, "0.1", "@" + cli.near("0.99"))
    cli.run("sell", MARKET, "0.1", "@" + cli.near("1.01"), "--key", "bob")

    def lie(at, change):
        def told(method, _, answer):
            if method == at and "result" in answer:
                change(answer["result"])
            return answer
        return lying(told)

    lies = [
        (["markets"], "market_list", lambda r: r["markets"][0].update(mark="1")),
        (["markets"], "market_list", lambda r: r["markets"].pop()),
        (["book", MARKET], "market_book", lambda r: r["bids"].pop()),
        (["book", MARKET], "market_book", lambda r: r["asks"][0].__setitem__(1, "99")),
        (["book", MARKET], "market_ticker", lambda r: r.update(index="1")),
        (["params"], "chain_params", lambda r: r["params"][0].update(value="7")),
        (["orders"], "order_open", lambda r: r["orders"].pop()),
        (["block"], "chain_block", lambda r: r.update(header=flip(r["header"], 200))),
        (["buy", MARKET, "0.1", "@market"], "market_get", lambda r: r.update(mark="1")),
        (["buy", MARKET, "0.1", "@1000"], "market_get", lambda r: r.update(tick_size="1")),
    ]
    for words, method, change in lies:
        cli.error(*words, "--node", lie(method, change), code=NODE_ERROR, has=["is not proved"])
    cli.error("validators", "--node", lie("chain_validators", lambda r: r["validators"][2].update(power="1000")),
              code=NODE_ERROR, has=["names other validators"])
    assert cli.json("markets", "--node", lie(*lies[0][1:]), "--trust-node")[0]["mark"] == "1"


def test_a_block_is_its_header_and_its_transactions(cli, lying):
    placed = cli.json("buy", MARKET, "0.1", "@" + cli.near("0.99"))
    block = cli.json("block", placed["height"])
    assert placed["tx_hash"] in [t["tx_hash"] for t in block["transactions"]]

    def lie(change):
        def told(method, _, answer):
            if method == "chain_block" and "result" in answer:
                change(answer["result"])
            return answer
        return lying(told)

    def without(result):
        result["transactions"] = [t for t in result["transactions"] if t["tx_hash"] != placed["tx_hash"]]

    def other(result):
        result["transactions"][0]["bytes"] = flip(result["transactions"][0]["bytes"])

    earlier = cli.json("block", int(placed["height"]) - 1)
    for change in (without, other):
        cli.error("block", placed["height"], "--node", lie(change), code=NODE_ERROR,
                  has=["the transactions are not those of the block"])
    cli.error("block", placed["height"], "--node", lie(lambda r: r.update(earlier)), code=NODE_ERROR,
              has=["a block of another height"])


def test_an_outcome_that_is_not_proved_is_not_known(cli, lying):
    """The node says that an order was placed, and its proof says otherwise."""
    def told(method, _, answer):
        if method == "tx_get" and "result" in answer:
            answer["result"]["receipt"]["outcomes"][0].update(result="12345")
        return answer

    cli.error("buy", MARKET, "0.1", "@" + cli.near("0.99"), "--node", lying(told), code=UNKNOWN,
              has=["is not proved", "next: novate tx"])


def test_a_fork_is_refused_and_an_old_state_told(cli, tmp_path):
    """What was seen before is kept; a final block that contradicts it is a fork."""
    cli.run("account", "alice")
    kept = next(pathlib.Path(cli.devnet.dir).glob("light-*.json"))
    seen = json.loads(kept.read_text())
    assert seen["format"] == "novate-light-1" and int(seen["height"]) > 0 and seen["epoch"] == "1"
    saved = tmp_path / "account.json"
    cli.run("account", "alice", "--save", saved)
    header = json.loads(saved.read_text())["answer"]["proof"]["header"]
    kept.write_text(json.dumps({**seen, "header": flip(header, 600)}))
    cli.error("proof-check", saved, code=NODE_ERROR, has=["the chain has forked", "light-"])
    evidence = json.loads(pathlib.Path(str(kept) + ".fork").read_text())
    assert [b["header"] for b in evidence["blocks"]] == [flip(header, 600), header]
    ahead = bytearray.fromhex(header[2:])
    ahead[42:50] = (int.from_bytes(ahead[42:50], "big") + 50).to_bytes(8, "big")
    ahead[100:108] = (int.from_bytes(ahead[100:108], "big") + 60000).to_bytes(8, "big")
    kept.write_text(json.dumps({**seen, "header": "0x" + ahead.hex()}))
    assert "shows an old state" in cli.run("proof-check", saved).stderr
    kept.write_text("{")
    told = cli.run("account", "alice")
    assert "is damaged, and is now" in told.stderr and "next: nothing" in told.stderr
    assert pathlib.Path(str(kept) + ".damaged").read_text() == "{"
    assert json.loads(kept.read_text())["format"] == "novate-light-1"
    assert cli.run("account", "alice").stderr == ""
    cli.error("proof-check", saved, "--trust", "2:0x" + "ab" * 32, code=USAGE, has=["--trust has no place here"])


def test_a_transaction_is_proved(cli, lying, tmp_path):
    placed = cli.json("buy", MARKET, "0.1", "@" + cli.near("0.99"))
    saved = tmp_path / "tx.json"
    told = cli.json("tx", placed["tx_hash"], "--save", saved)
    assert told["height"] == placed["height"] and told["proof"]["checked"] is True
    assert told["receipt"]["outcomes"] == [{"code": 0, "reason": None, "result": placed["order"]}]
    assert cli.json("proof-check", saved)["receipt"] == told["receipt"]

    def refused(method, _, answer):
        if method == "tx_get" and "result" in answer:
            answer["result"]["receipt"]["outcomes"][0].update(code=3001, reason="insufficient_margin")
        return answer

    def other_path(method, _, answer):
        if method == "tx_get" and "result" in answer:
            answer["result"]["receipt_proof"]["path"].append("0x" + "00" * 32)
        return answer

    def other_group(method, _, answer):
        if method == "tx_get" and "result" in answer:
            shown = answer["result"]["receipt_proof"]
            shown["group"] = flip(shown["group"])
        return answer

    def other_place(method, _, answer):
        if method == "tx_get" and "result" in answer:
            answer["result"]["receipt_proof"]["index"] += 1
        return answer

    for lie in (refused, other_path, other_group, other_place):
        cli.error("tx", placed["tx_hash"], "--node", lying(lie), code=NODE_ERROR, has=["not proved"])
    cli.error("tx", "0x" + "ab" * 32, code=NODE_ERROR, has=["tx_not_found"])


def test_the_chain_is_pinned_at_first_contact(cli, tmp_path):
    alone = {"NOVATE_DEVNET": str(tmp_path / "none"), "NOVATE_HOME": str(tmp_path / "home")}
    first = cli.run("account", "alice", **alone)
    assert "first contact with " in first.stderr and "now pinned" in first.stderr
    assert cli.run("account", "alice", **alone).stderr == ""
    pins = tmp_path / "home" / "known_chains"
    pins.write_text(flip(pins.read_text().rstrip()) + "\n")
    cli.error("account", "alice", code=NODE_ERROR, has=["which is not the one in", "--genesis FILE"],
              **alone)
    cli.run("account", "alice", "--genesis", cli.genesis, **alone)
    cli.error("account", "alice", "--genesis", tmp_path / "none", code=USAGE, has=["cannot be read"])


def test_a_signature_is_for_the_chain_that_is_meant(cli, lying):
    """A node that says it is on another chain gets no signature that holds there."""
    def other(method, _, answer):
        if method == "node_status" and "result" in answer:
            answer["result"]["chain_id"] = "0x" + "11" * 32
        return answer

    before = Decimal(cli.json("account", "bob")["cash"])
    cli.run("transfer", "bob", "1", "--node", lying(other))
    assert Decimal(cli.json("account", "bob")["cash"]) == before + 1


# --- the whole state ---


def test_the_audit_counts_every_row(cli, lying):
    report = cli.json("audit")
    assert report["ok"] is True and report["root_ok"] is True and report["running_ok"] is True
    assert isinstance(report["height"], str) and isinstance(report["cash_sum_micro"], str)
    assert "both laws hold" in cli.run("audit").stdout

    def one_more(method, _, answer):
        if method == "chain_rows" and "result" in answer:
            for row in answer["result"]["rows"]:
                if row[0].startswith("0x01"):  # an account: address 20, cash 8, ...
                    row[1] = flip(row[1], 2 + 2 * 28 - 1)
                    break
        return answer

    told = json.loads(cli.run("audit", "--json", "--node", lying(one_more), code=FAILED).stdout)
    assert told["ok"] is False and told["root_ok"] is False


def test_the_audit_follows_to_a_descendants_finalization(cli, lying):
    """A header without a finalization of its own is final by a later block's."""
    def block(height):
        cli.run("wait", height)
        return cli.json("block", height)

    def named():
        page = cli.devnet.rpc("chain_rows", limit=2000)
        return page if page["header"] else None

    def later(method, params, answer):
        if method == "chain_rows" and "cursor" not in params:
            page = cli.devnet.wait(named, "a checkpoint that a final header names")
            height = int(page["header"][2 + 84:2 + 100], 16)
            page["certificate"] = block(height + 2)["certificate"]
            return {"jsonrpc": "2.0", "id": answer["id"], "result": page}
        for first in answer.get("result", {}).get("blocks", [])[:1] if method == "chain_blocks" else []:
            first["certificate"] = block(int(first["height"]) + 1)["certificate"]
        return answer

    def no_link(method, params, answer):
        told = later(method, params, answer)
        for first in told.get("result", {}).get("blocks", [])[:1]:
            first["header"] = flip(first["header"], 300)
        return told

    assert cli.json("audit", "--node", lying(later))["certified"] is True
    cli.error("audit", "--node", lying(no_link), code=NODE_ERROR, has=["not proved to be final"])


# --- the chain and the node ---


def test_status_block_wait(cli):
    def well():
        status = cli.json("status")
        return status if status["stage"] == "ready" and status["peers"] == 3 else None
    status = cli.devnet.wait(well, "a node that is well")
    assert "finalized height" in cli.run("status").stdout
    height = int(status["finalized_height"])
    assert int(cli.json("wait", height + 2)["height"]) >= height + 2
    placed = cli.json("buy", MARKET, "0.1", "@" + cli.near("0.99"))
    block = cli.run("block", placed["height"]).stdout
    assert placed["tx_hash"] in block and "place" in block
    assert len(cli.json("validators")["validators"]) == 4
    assert "TAKER_FEE" in cli.run("params").stdout
    cli.error("block", "99999999", code=NODE_ERROR, has=["height_in_future"])
    cli.error("wait", "soon", code=USAGE, has=["whole number"])


def test_raw_calls_and_streams(cli):
    assert int(json.loads(cli.run("rpc", "chain_head").stdout)["height"]) > 0
    cli.error("rpc", "chain_epoch", "epoch=1", code=NODE_ERROR, has=["not_held"])
    cli.error("rpc", "chain_block", "height", code=USAGE, has=["key=value"])
    cli.error("rpc", "chain_blocks", code=NODE_ERROR, has=["invalid_params"])
    with cli.lines("sub", "blocks") as lines:
        heights = [int(json.loads(next(lines))["height"]) for _ in range(3)]
    assert heights[2] > heights[0]
    cli.error("sub", "weather", code=NODE_ERROR, has=["unknown_channel"])


def test_the_book_lives(cli):
    with cli.lines("book", MARKET, "-w") as lines:
        heads = []
        while len(heads) < 3:
            line = next(lines)
            assert "\033" not in line
            heads += [line] if line.startswith(MARKET) and line not in heads else []


def test_a_terminal_has_colours_unless_unwanted(cli):
    cli.run("buy", MARKET, "0.25", "@" + cli.near("0.99"))

    def on_terminal(**env):
        leader, follower = pty.openpty()
        process = subprocess.Popen([NOVATE, "book", MARKET], stdout=follower, env={**cli.env, **env})
        os.close(follower)
        text = b""
        with contextlib.suppress(OSError):  # so ends what a terminal was told, once nobody has it open
            while more := os.read(leader, 65536):
                text += more
        os.close(leader)
        assert end_of(process) == 0
        assert MARKET.encode() in text and b"0.25" in text
        return text.decode()

    assert "\033[32m" in on_terminal()
    assert "\033" not in on_terminal(NO_COLOR="1")


# --- errors and exit codes ---


def test_usage(cli):
    cli.error("bok", MARKET, code=USAGE, has=['there is no command "bok"', "next: novate book MARKET"])
    cli.error("book", code=USAGE, has=["a word is missing", "novate book MARKET"])
    cli.error("book", MARKET, "x", code=USAGE, has=["one word too many"])
    cli.error("book", MARKET, "--deep", code=USAGE, has=["--deep is no option"])
    cli.error("book", MARKET, "--depth", code=USAGE, has=["--depth needs a value"])
    cli.error("book", MARKET, "--depth", "-5", code=USAGE, has=["whole number from 1"])
    cli.error("status", "--node", "nowhere", code=USAGE, has=["is no address of a node"])
    assert "novate audit" in cli.run("help").stdout
    assert cli.run("book", "--help").stdout.startswith("novate book MARKET [-w]")


def test_a_node_that_is_not_there(cli):
    cli.error("status", "--node", "http://127.0.0.1:1", code=CANNOT_REACH,
              has=["cannot be reached", "next: novate devnet status"])


def test_a_devnet_at_hand_names_its_node(cli):
    assert cli.json("status", NOVATE_NODE=None)["name"] == "node0"


def test_what_the_node_does_not_know(cli):
    cli.error("book", "DOGE-PERP", code=NODE_ERROR, has=["market_unknown (5001)", "See market_list"])
    cli.error("rpc", "chain_heads", code=NODE_ERROR, has=["method_not_found"])


def test_an_unknown_outcome_has_its_own_code(cli, lying):
    def unknown(method, _, answer):
        if method == "tx_submit":
            return {"jsonrpc": "2.0", "id": answer["id"],
                    "error": {"code": 6003, "message": "outcome_unknown", "data": {"hint": "call tx_wait"}}}
        return answer

    cli.error("transfer", "bob", "1", "--node", lying(unknown), code=UNKNOWN, has=["outcome_unknown"])
