"""Echo with coroutines: one for each client. The same as src/main.rs, in Python.

gevent takes the part of may, asyncio that of tokio.
"""

import asyncio
import itertools
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from multiprocessing import Event, Process, Semaphore, set_start_method
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

PATIENCE = 10
BACKLOG = 4096  # so many may wait to be accepted
LONGEST = 1 << 20
TOO_LONG = b"error: a line has 1 MiB at most\n"
NOT_UTF8 = b"error: not UTF-8\n"
GREEDY = 3  # asyncio and gevent have one thread
ASKS = 10
TURN = 100
REQUESTS = 300
TRIES = 3


def in_upper_case(line):
    """The answer to a line; none if it is too long to be whole."""
    if len(line) == LONGEST and not line.endswith(b"\n"):
        return None
    try:
        return line.decode().upper().encode()
    except UnicodeDecodeError:
        return NOT_UTF8


def serve_by_gevent(listener, patience):
    # Imported here: the process that measures has no use for it.
    import gevent
    from gevent.server import StreamServer
    from gevent.socket import IPPROTO_TCP, TCP_NODELAY, socket as gevent_socket

    def echo(client, _address):
        client.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        turn = 0
        with client.makefile("rb") as lines:
            while line := lines.readline(LONGEST):
                turn += 1
                if turn % TURN == 0:
                    gevent.sleep(0)  # while more comes, nothing else yields
                answer = in_upper_case(line)
                with gevent.Timeout(patience):
                    client.sendall(TOO_LONG if answer is None else answer)
                if answer is None:
                    return

    def attend(client, address):
        try:
            echo(client, address)
        except (OSError, gevent.Timeout) as error:
            print("gevent drops a client:", error)

    listener = gevent_socket(fileno=listener.detach())
    StreamServer(listener, attend).serve_forever()


def serve_by_asyncio(listener, patience):
    async def echo(reader, writer):
        for turn in itertools.count(1):
            if turn % TURN == 0:
                await asyncio.sleep(0)  # while more comes, nothing else yields
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.IncompleteReadError as error:
                line = error.partial
            except asyncio.LimitOverrunError:
                line = bytes(LONGEST)
            if not line:
                return
            answer = in_upper_case(line)
            writer.write(TOO_LONG if answer is None else answer)
            await asyncio.wait_for(writer.drain(), patience)
            if answer is None:
                return

    async def attend(reader, writer):
        try:
            await echo(reader, writer)
        except (OSError, TimeoutError) as error:
            print("asyncio drops a client:", error)
            writer.transport.abort()
        writer.close()

    async def serve():
        server = await asyncio.start_server(
            attend, sock=listener, limit=LONGEST - 1, backlog=BACKLOG
        )
        await server.serve_forever()

    asyncio.run(serve())


BOTH = [("may", serve_by_gevent), ("tokio", serve_by_asyncio)]


def attend_alone(serve, listener, patience):
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    serve(listener, patience)


class Service:
    """The process that serves; it ends with the block."""

    def __init__(self, serve, patience=PATIENCE):
        listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self.address = listener.getsockname()
        self.process = Process(target=attend_alone, args=(serve, listener, patience))
        self.process.start()
        listener.close()  # its copy: the server keeps its own

    def cpu(self):
        """The seconds that it has computed so far: clock_getcpuclockid(3)."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def memory(self):
        """What it has for itself, in KiB: proc(5)."""
        with open(f"/proc/{self.process.pid}/smaps_rollup") as lines:
            return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.join()


class Client:
    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lines = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def answer(self):
        return self.lines.readline().decode().rstrip("\n")

    def ask(self, line):
        self.send(line.encode() + b"\n")
        return self.answer()

    def close(self):
        self.lines.close()
        self.socket.close()


def all_ask(crowd):
    for client in crowd:
        client.send(b"hello\n")
    return [client.answer() for client in crowd].count("HELLO")


def all_at_once(name, serve, number):
    with Service(serve) as service:
        crowd = [Client(service.address) for _ in range(number)]
        print(f"{name}: answered {all_ask(crowd)} of {number},",
              f"threads of the server: {service.threads()}")
        for client in crowd:
            client.close()


def silent_and_slow(name, serve, pause):
    with Service(serve) as service:
        silent = [Client(service.address) for _ in range(500)]
        all_ask(silent)  # all are being served then
        slow, quick = Client(service.address), Client(service.address)
        answers = []
        for letter in "slowly":
            pause(0.2)
            slow.send(letter.encode())
            answers.append(quick.ask("and i?"))
        slow.send(b"\n")
        print(f"{name}: quick {answers.count('AND I?')} times, then {slow.answer()}")
        for client in (*silent, slow, quick):
            client.close()


def odd_lines(name, serve):
    with Service(serve) as service:
        client = Client(service.address)
        client.send(b"one\ngr\xc3")
        first = client.answer()
        client.send(b"\xb6\xc3\x9fe\n")
        print(f"{name}: half:", ascii(f"{first} {client.answer()}"))
        print(f"{name}: empty:", ascii(client.ask("")))
        line = "x" + "\u00e9" * ((LONGEST - 2) // 2)
        print(f"{name}: 1 MiB:", client.ask(line) == line.upper())
        client.send(b"abc\xff\n")
        print(f"{name}: no UTF-8:", client.answer())
        client.send(b"last words")
        client.socket.shutdown(socket.SHUT_WR)
        print(f"{name}: no end:", client.answer())
        client.close()


def send_until_cut_off(client, data):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            client.send(data)
        except (BrokenPipeError, ConnectionResetError):
            return "is cut off"
    return "is not cut off"


def odd_ends(name, serve, patience):
    with Service(serve, patience) as service:
        client = Client(service.address)
        client.ask("hello")
        client.send(b"half a li")
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        client = Client(service.address)
        print(f"{name}: endless:", send_until_cut_off(client, b"x" * (1 << 16)))
        client.close()
        client = Client(service.address)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line = b"do you hear me? " * (1 << 12) + b"\n"
        print(f"{name}: deaf:", send_until_cut_off(client, line))
        client.close()
        client = Client(service.address)
        print(f"{name}: next:", client.ask("and i?"))
        client.close()


def many_deaf(name, serve, pause):
    with Service(serve, patience=3600) as service:
        quick = Client(service.address)
        deaf = [socket.create_connection(service.address) for _ in range(GREEDY)]
        for client in deaf:
            client.setblocking(False)
        answers = 0
        while answers < ASKS:
            if sum(map(send_all_that_is_taken, deaf)):
                answers = 0
            pause(0.05)
            quick.ask("and i?")
            answers += 1
        print(f"{name}: answered while all deaf ones are stuck: {answers}")
        for client in (quick, *deaf):
            client.close()


def send_all_that_is_taken(client):
    line, sent = b"\n" + b"do you hear me? " * (1 << 12), 0
    try:
        while True:
            sent += client.send(line)
    except BlockingIOError:
        return sent


def flood(address, begun, enough):
    """Sends as fast as it can, and takes every answer, in a process of its own."""
    with socket.create_connection(address) as client:
        client.setblocking(False)
        taken = 0
        while not enough.is_set():
            select.select([client], [client], [], 0.1)
            try:
                client.send(b"a\n" * (1 << 15))
            except BlockingIOError:
                pass
            try:
                taken += len(client.recv(1 << 16))
            except BlockingIOError:
                pass
            if taken > 1 << 12:
                begun.release()
                taken = float("-inf")


def many_floods(name, serve, pause):
    with Service(serve) as service:
        quick = Client(service.address)
        begun, enough = Semaphore(0), Event()
        args = (service.address, begun, enough)
        floods = [Process(target=flood, args=args) for _ in range(GREEDY)]
        for process in floods:
            process.start()
        for _ in floods:
            begun.acquire()
        answers = 0
        for _ in range(ASKS):
            pause(0.05)
            answers += quick.ask("and i?") == "AND I?"
        print(f"{name}: answered while all flood the server: {answers}")
        enough.set()
        for process in floods:
            process.join()
        quick.close()


def a_request(name, serve):
    for number in 10, 100, 1000:
        with Service(serve) as service:
            crowd = [Client(service.address) for _ in range(number)]
            must_ask(crowd, 1)  # all have been accepted then
            times, cpus = [], []
            for _ in range(TRIES):
                before, start = service.cpu(), time.perf_counter()
                answers = must_ask(crowd, -(-REQUESTS // number))
                times.append((time.perf_counter() - start) / answers)
                cpus.append((service.cpu() - before) / answers)
            label = f"{number} clients, {name}"
            print(f"figure\t{label}\t{min(times):.9f}\t{answers}")
            print(f"figure\t{label}: CPU\t{min(cpus):.9f}\t{answers}")
            for client in crowd:
                client.close()


def must_ask(crowd, times):
    """How many answers there are: one to each, each time."""
    for _ in range(times):
        answered = all_ask(crowd)
        assert answered == len(crowd), f"only {answered} were answered"
    return times * len(crowd)


def a_client(name, serve):
    with Service(serve) as service:
        first = Client(service.address)
        must_ask([first], 1)  # it is ready
        first.close()
        before, start = service.memory(), time.perf_counter()
        crowd = [Client(service.address) for _ in range(1000)]
        answers = must_ask(crowd, 1)
        seconds = (time.perf_counter() - start) / 1000
        more = (service.memory() - before) // 1000
        print(f"figure\ta new client, {name}\t{seconds:.9f}\t{answers}")
        print(f"{name}: {more} KiB a client")
        for client in crowd:
            client.close()


def main():
    # What servers print must not come into the middle of a line.
    sys.stdout.reconfigure(line_buffering=True)
    speed = parser(__doc__).parse_args().speed

    def pause(seconds):
        time.sleep(seconds / speed)

    set_start_method("fork")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for name, serve in BOTH:
        all_at_once(name, serve, 1000)
        silent_and_slow(name, serve, pause)
        odd_lines(name, serve)
        odd_ends(name, serve, 1 / speed)
        many_deaf(name, serve, pause)
        many_floods(name, serve, pause)
    for name, serve in BOTH:
        a_request(name, serve)
    for name, serve in BOTH:
        a_client(name, serve)


if __name__ == "__main__":
    main()
