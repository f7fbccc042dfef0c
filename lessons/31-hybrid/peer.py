"""Hybrid: processes, threads and coroutines at one port, in Python.

The same as src/main.rs; asyncio makes the coroutines.
"""

import asyncio
import math
import os
import select
import signal
import socket
import sys
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

PATIENCE = 10
LIMIT = 100_000


def primes_below(limit):
    # A remainder of 0 is false: all() stops at the first divisor.
    return sum(
        all(map(n.__mod__, range(2, math.isqrt(n) + 1))) for n in range(2, limit)
    )


async def serve(client, limit):
    """Says who serves, and answers each request, until the client leaves."""
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    reader, writer = await asyncio.open_connection(sock=client)
    try:
        writer.write(b"%d\n" % os.getpid())
        while request := await reader.readline():
            job, number = request.split()
            if job == b"compute":
                primes_below(limit)
            else:
                writer.write(b"begun\n")
                await reader.readline()  # its thread does something else
            writer.write(number + b"\n")
    except ConnectionError:
        pass  # one that has left gets no answer
    finally:
        writer.close()


async def accept(door, coroutines, limit):
    """A coroutine for each client, and never more than so many."""
    loop = asyncio.get_running_loop()
    free, serving = asyncio.Semaphore(coroutines), set()

    def served(task):
        serving.discard(task)
        free.release()

    while True:
        await free.acquire()
        client, _ = await loop.sock_accept(door)
        task = asyncio.create_task(serve(client, limit))
        serving.add(task)
        task.add_done_callback(served)


def bind(address):
    """A socket for this address, which others may bind to as well."""
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    door.bind(address)
    return door


def thread(address, coroutines, limit, opened):
    """Its door, and its coroutines."""
    door = bind(address)
    door.listen(1024)
    door.setblocking(False)
    os.write(opened, b"x")
    asyncio.run(accept(door, coroutines, limit))


def process(address, threads, coroutines, limit, opened):
    args = (address, coroutines, limit, opened)
    others = [threading.Thread(target=thread, args=args) for _ in range(threads)]
    for other in others:
        other.start()
    for other in others:
        other.join()


class Server:
    """The processes that serve; they end with it."""

    def __init__(self, mixture, limit):
        self.mixture, self.limit = mixture, limit
        self.port = bind(("127.0.0.1", 0))  # keeps it, and does not listen
        self.address = self.port.getsockname()
        self.pids = [self.fork() for _ in range(mixture[0])]

    def fork(self):
        _, threads, coroutines = self.mixture
        opens, opened = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                process(self.address, threads, coroutines, self.limit, opened)
            finally:
                os._exit(1)
        os.close(opened)
        for _ in range(threads):
            if not os.read(opens, 1):
                raise ChildProcessError("a process of the server has ended")
        os.close(opens)
        return pid

    def replace(self, pid):
        os.waitpid(pid, 0)
        self.pids[self.pids.index(pid)] = self.fork()

    def memory(self):
        """What each process has for itself, in KiB, all together: proc(5)."""
        own = 0
        for pid in self.pids:
            with open(f"/proc/{pid}/smaps_rollup") as lines:
                own += sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
        return own

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in self.pids:
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)
        self.port.close()


class Client:
    def __init__(self, connection):
        connection.settimeout(PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self.lines = connection.makefile("rb")
        self.pid = int(self.line())

    def send(self, line):
        self.socket.sendall(line.encode() + b"\n")

    def ask(self, job, number):
        self.number = str(number)
        self.send(f"{job} {number}")

    def line(self):
        line = self.lines.readline()
        if not line:
            raise ConnectionError("the server has hung up")
        return line.decode().strip()

    def answered(self):
        try:
            while self.line() != self.number:
                pass
            return True
        except ConnectionError:
            return False

    def close(self):
        self.lines.close()
        self.socket.close()


def fill(address, places):
    """Connects until so many are served; the others wait at a door."""
    served, at_a_door = [], []
    end = time.monotonic() + PATIENCE
    while len(served) < places:
        if time.monotonic() > end:
            raise TimeoutError(f"{len(served)} of {places} served after 10 s")
        at_a_door.append(socket.create_connection(address))
        moment = min(1 + len(at_a_door), 12) / 1000
        for greeted in select.select(at_a_door, [], [], moment)[0]:
            at_a_door.remove(greeted)
            served.append(Client(greeted))
    for connection in at_a_door:
        connection.close()
    return served


def wait(clients, numbers):
    """How many have begun to wait."""
    asked = list(zip(clients, numbers))
    for client, number in asked:
        client.ask("wait", number)
    return [client.line() for client, _ in asked].count("begun")


def release(clients):
    """The requests that were lost with their connections."""
    for client in clients:
        try:
            client.send("go on")
        except ConnectionError:
            pass
    return [int(client.number) for client in clients if not client.answered()]


def compute(clients, numbers):
    for client, number in zip(clients, numbers):
        client.ask("compute", number)
    return sum(client.answered() for client in clients)


def wait_then_compute(mixture, limit, pause):
    with Server(mixture, limit) as server:
        clients = fill(server.address, 8)
        wait(clients, range(1, 9))
        pause(0.3)
        release(clients)
        compute(clients, range(9, 17))
        pids = {client.pid for client in clients}
        print("x".join(map(str, mixture)), "processes that answer:", len(pids))
        for client in clients:
            client.close()


def one_is_killed(limit, pause):
    with Server((2, 2, 2), limit) as server:
        clients = fill(server.address, 8)
        wait(clients, range(1, 9))
        victim = clients[0].pid
        os.kill(victim, signal.SIGKILL)
        lost = release(clients)
        print("lost with their connections:", lost)
        others = [client for client in clients if client.pid != victim]
        wait(others, range(9, 13))
        pause(0.5)
        print("lost by the others:", release(others))
        server.replace(victim)
        again = fill(server.address, len(lost))
        wait(again, lost)
        pause(0.5)
        print("lost again:", release(again))
        for client in clients + again:
            client.close()


def measure(label, body, tries=1):
    """The best of so many times."""
    times = []
    for _ in range(tries):
        start = time.perf_counter()
        result = body()
        times.append(time.perf_counter() - start)
    print(f"figure\t{label}\t{min(times):.9f}\t{result}")


def which_wins(limit, pause):
    for mixture in (1, 1, 1), (1, 1, 8), (1, 8, 1), (8, 1, 1), (2, 2, 2):
        name = "x".join(map(str, mixture))
        places = mixture[0] * mixture[1] * mixture[2]
        with Server(mixture, limit) as server:
            clients = fill(server.address, places)

            at_once = []

            def eight_wait():
                for first in range(1, 9, places):
                    at_once.append(wait(clients, range(first, first + places)))
                    pause(0.2)
                    release(clients)
                return max(at_once)

            def eight_compute():
                firsts = range(1, 9, places)
                return sum(compute(clients, range(n, n + places)) for n in firsts)

            measure(f"{name}: 8 wait", eight_wait)
            measure(f"{name}: 8 compute", eight_compute, tries=3)
            print(f"{name}: wait at once {max(at_once)}, own KiB {server.memory()}")
            for client in clients:
                client.close()


def main():
    speed = parser(__doc__).parse_args().speed
    limit = int(LIMIT / speed)

    def pause(seconds):
        time.sleep(seconds / speed)

    for mixture in (1, 1, 8), (1, 8, 1), (8, 1, 1), (2, 2, 2):
        wait_then_compute(mixture, limit, pause)
    one_is_killed(limit, pause)
    which_wins(limit, pause)


if __name__ == "__main__":
    main()
