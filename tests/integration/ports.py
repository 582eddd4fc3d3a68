"""ports.py - ports of loopback that no other test has, in this run or in one beside it.

They lie below those that the kernel gives to clients, are given once in a run, and are kept from other runs by
a name that is bound for as long as this process lives.
"""

import socket

SIZE = 100
BLOCKS = range(12000, 21000, SIZE)  # tools/client-js/test takes those above

_names = []  # sockets that hold the names of our blocks
_rest = iter(())


def _reserved(base):
    """Whether the block is ours from now on."""
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0novate-test-ports-{base}")
    except OSError:
        name.close()
        return False
    _names.append(name)
    return True


def _free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the nodes do
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def block():
    """The first of SIZE free ports."""
    for base in BLOCKS:
        if _reserved(base) and all(_free(port) for port in range(base, base + SIZE)):
            return base
    raise RuntimeError("no block of ports is free")


def some(count):
    """So many free ports."""
    global _rest
    ports = []
    while len(ports) < count:
        port = next(_rest, None)
        if port is None:
            base = block()
            _rest = iter(range(base, base + SIZE))
        else:
            ports.append(port)
    return ports
