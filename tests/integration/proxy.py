"""proxy.py - a network that misbehaves on command, between real daemons on loopback.

Every node dials every other one through a port of this proxy, so each byte between two nodes
passes through here.  What happens to bytes from node A to node B is a `Link`, whichever of the
two has dialled:

    delay_s, jitter_s   bytes arrive later, in order (a loss looks so to TCP: a stall)
    open                False: bytes are held back; one way alone makes a one-way link
    rate                bytes a second, for a slow reader
    corrupt             the next byte is flipped, once

`cut` resets the connections of a pair, `refuse` lets nobody in, `freeze` leaves connections half
open: both ends believe in them and nothing passes.  It runs in a thread of its own; its methods may
be called from the test's thread.
"""

import asyncio
import random
import socket
import struct
import threading

from patience import BOUND_S

CHUNK = 16384
HELD_MAX = 1 << 20  # bytes on their way in one direction of a connection; then its reader waits


class Link:
    """How bytes go from one node to another."""

    def __init__(self):
        self.heal()

    def heal(self):
        self.delay_s = 0.0
        self.jitter_s = 0.0
        self.rate = 0
        self.corrupt = False
        self.open = True

    def __repr__(self):
        told = {k: v for k, v in vars(self).items() if v and not (k == "open" and v)}
        if not self.open:
            told["open"] = False
        return f"Link({told})"


class Pipe:
    """One direction of one connection: reads here, writes there, as its link says."""

    def __init__(self, proxy, link, reader, writer):
        self.proxy, self.link, self.reader, self.writer = proxy, link, reader, writer
        self.held = asyncio.Queue()
        self.size = 0
        self.room = asyncio.Event()
        self.room.set()

    async def read(self):
        while True:
            await self.room.wait()
            data = await self.reader.read(CHUNK)
            if not data:
                await self.held.put((0.0, b""))
                return
            loop = asyncio.get_running_loop()
            late = self.link.delay_s + self.proxy.random.random() * self.link.jitter_s
            self.size += len(data)
            if self.size >= HELD_MAX:
                self.room.clear()
            await self.held.put((loop.time() + late, data))

    async def write(self):
        loop = asyncio.get_running_loop()
        while True:
            at, data = await self.held.get()
            if not data:
                self.writer.write_eof()
                return
            await asyncio.sleep(max(0.0, at - loop.time()))
            while not self.link.open:
                await self.proxy.changed()
            if self.link.corrupt:
                self.link.corrupt = False
                data = bytes([data[0] ^ 0x20]) + data[1:]
            self.writer.write(data)
            await self.writer.drain()
            self.proxy.bytes += len(data)
            self.size -= len(data)
            if self.size < HELD_MAX:
                self.room.set()
            if self.link.rate:
                await asyncio.sleep(len(data) / self.link.rate)


class Proxy:
    def __init__(self, count, seed):
        self.count = count
        self.random = random.Random(seed)
        self.links = {(a, b): Link() for a in range(count) for b in range(count) if a != b}
        self.targets = {}  # node -> its own port
        self.ports = {}  # (dialler, target) -> port here
        self.refused = set()  # (dialler, target)
        self.connections = {}  # (dialler, target) -> set of writers
        self.bytes = 0
        self._waiters = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    # --- the test's side --------------------------------------------------------------------

    def start(self, targets):
        """Begins to listen; `targets` are the nodes' own ports.  Fills `ports`."""
        self.targets = dict(enumerate(targets))
        self._thread.start()
        self._call(self._listen())

    def stop(self):
        if not self._thread.is_alive():
            return
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(BOUND_S)

    def wake(self):
        """Makes what waits for an open link look again."""
        self._loop.call_soon_threadsafe(self._wake)

    def between(self, group, others):
        """The links that lead from one group of nodes to another."""
        return [self.links[a, b] for a in group for b in others if a != b]

    def cut(self, a, b):
        """Resets every connection of the pair."""
        self._call(self._cut(a, b))

    def refuse(self, a, b, refused=True):
        for pair in ((a, b), (b, a)):
            (self.refused.add if refused else self.refused.discard)(pair)

    def heal(self):
        for link in self.links.values():
            link.heal()
        self.refused.clear()
        self.wake()

    # --- the loop's side --------------------------------------------------------------------

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(BOUND_S)

    def _wake(self):
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def changed(self):
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        await waiter

    async def _listen(self):
        self._servers = []
        for a, b in self.links:
            async def accept(reader, writer, pair=(a, b)):
                await self._accept(pair, reader, writer)
            server = await asyncio.start_server(accept, "127.0.0.1", 0)
            self._servers.append(server)
            self.ports[a, b] = server.sockets[0].getsockname()[1]
            self.connections[a, b] = set()

    async def _accept(self, pair, reader, writer):
        a, b = pair
        if pair in self.refused:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.targets[b])
        except OSError:
            writer.transport.abort()
            return
        both = (writer, far_writer)
        self.connections[pair].add(both)
        pipes = (Pipe(self, self.links[a, b], reader, far_writer),
                 Pipe(self, self.links[b, a], far_reader, writer))
        work = [asyncio.ensure_future(step) for p in pipes for step in (p.read(), p.write())]
        try:
            await asyncio.gather(*work)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for step in work:
                step.cancel()
            self.connections[pair].discard(both)
            for w in both:
                w.transport.abort()

    async def _cut(self, a, b):
        for pair in ((a, b), (b, a)):
            for both in list(self.connections[pair]):
                for w in both:
                    if not w.is_closing():
                        raw = w.get_extra_info("socket")
                        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        w.transport.abort()

    async def _close(self):
        for server in self._servers:
            server.close()
        for writers in self.connections.values():
            for both in list(writers):
                for w in both:
                    w.transport.abort()
        self._wake()
        await asyncio.sleep(0)
        tasks = [t for t in asyncio.all_tasks(self._loop) if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
