"""Echo with coroutines: one for each client. The same as src/main.rs, in Python.

gevent takes the part of may, asyncio that of tokio.
"""

import argparse
import asyncio
import os
import resource
import signal
import socket
import struct
import time
from multiprocessing import Process, set_start_method

PATIENCE = 10
LONGEST = 1 << 20
TOO_LONG = b"error: a line has 1 MiB at most\n"
NOT_UTF8 = b"error: not UTF-8\n"
CROWDS = [(10, 200), (100, 20), (1000, 2)]


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
        with client.makefile("rb") as lines:
            while line := lines.readline(LONGEST):
                answer = in_upper_case(line)
                if answer is None:
                    client.sendall(TOO_LONG)
                    return
                with gevent.Timeout(patience):
                    client.sendall(answer)

    def attend(client, address):
        try:
            echo(client, address)
        except (OSError, gevent.Timeout) as error:
            print("gevent drops a client:", error)

    listener = gevent_socket(fileno=listener.detach())
    StreamServer(listener, attend).serve_forever()


def serve_by_asyncio(listener, patience):
    async def echo(reader, writer):
        while True:
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
        server = await asyncio.start_server(attend, sock=listener, limit=LONGEST - 1)
        await server.serve_forever()

    asyncio.run(serve())


BOTH = [("may", serve_by_gevent), ("tokio", serve_by_asyncio)]


def attend_alone(serve, listener, patience):
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    serve(listener, patience)


class Service:
    """The process that serves; it ends with the block."""

    def __init__(self, serve, patience=PATIENCE):
        listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.address = listener.getsockname()
        self.process = Process(target=attend_alone, args=(serve, listener, patience))
        self.process.start()
        listener.close()  # its copy: the server keeps its own

    def cpu(self):
        """The seconds that it has computed so far: clock_getcpuclockid(3)."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

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


def price(name, serve):
    for number, times in CROWDS:
        with Service(serve) as service:
            crowd = [Client(service.address) for _ in range(number)]
            all_ask(crowd)  # all have been accepted then
            before, start = service.cpu(), time.perf_counter()
            for _ in range(times):
                all_ask(crowd)
            seconds = (time.perf_counter() - start) / (number * times)
            cpu = (service.cpu() - before) / (number * times)
            label = f"{number} clients, {name}"
            print(f"figure\t{label}\t{seconds:.9f}")
            if number == 1000:
                print(f"figure\t{label}: CPU\t{cpu:.9f}")
            for client in crowd:
                client.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=float, default=1.0)
    speed = parser.parse_args().speed
    set_start_method("fork")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for name, serve in BOTH:
        all_at_once(name, serve, 1000)
        silent_and_slow(name, serve, lambda seconds: time.sleep(seconds / speed))
        odd_lines(name, serve)
        odd_ends(name, serve, 1 / speed)
    for name, serve in BOTH:
        price(name, serve)


if __name__ == "__main__":
    main()
