"""Echo with processes: one for each client. The same as src/main.rs, in Python."""

import os
import resource
import socket
import struct
import sys
import time
from multiprocessing import Pipe, Process, connection, set_start_method
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

WORKERS = 3
PATIENCE = 10
LONGEST = 1 << 20
TOO_LONG = b"error: a line has 1 MiB at most\n"
NOT_UTF8 = b"error: not UTF-8\n"
NO_PROCESS = b"error: no process is left, come again later\n"


def echo(client, patience=PATIENCE):
    # A timeout of sending only: a client may think as long as it likes.
    timeval = struct.pack("ll", int(patience), int(patience % 1 * 1e6))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with client, client.makefile("rb") as lines:
        while line := lines.readline(LONGEST):
            if len(line) == LONGEST and not line.endswith(b"\n"):
                client.sendall(TOO_LONG)
                return
            try:
                answer = line.decode().upper().encode()
            except UnicodeDecodeError:
                answer = NOT_UTF8
            client.sendall(answer)


def attend(listener, client, patience):
    listener.close()  # its copy: the server keeps its own
    try:
        echo(client, patience)
    except OSError as error:
        print("drops a client:", error)


class Server:
    """A process for each client."""

    def __init__(self, listener, patience=PATIENCE, ended=None):
        self.listener, self.patience = listener, patience
        self.ended = ended  # takes the pids of those that have
        self.children = []
        self.refused = 0

    def serve(self):
        while self.turn():
            pass

    def turn(self):
        """Waits until a client comes or a child ends; false if none can come."""
        ends = [child.sentinel for child in self.children]
        ready = connection.wait([self.listener, *ends])
        # To ask whether it lives reaps a child that does not.
        for child in [child for child in self.children if not child.is_alive()]:
            self.children.remove(child)
            if self.ended:
                self.ended.send(child.pid)
        if self.listener not in ready:
            return True
        try:
            client, _ = self.listener.accept()
        except OSError:
            return False
        child = Process(target=attend, args=(self.listener, client, self.patience))
        try:
            child.start()
            self.children.append(child)
        except BlockingIOError as error:
            self.refused += 1
            print("no process:", error)
            client.sendall(NO_PROCESS)
        client.close()  # its copy: the child keeps its own
        return True


def work(listener):
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        try:
            echo(client)
        except OSError as error:
            print("drops a client:", error)


class Service:
    """The processes that serve; they end with it."""

    def __init__(self, target, *args, processes=1):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.address = self.listener.getsockname()
        self.processes = [
            Process(target=target, args=(self.listener, *args)) for _ in range(processes)
        ]
        for process in self.processes:
            process.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Whoever waits at the listener, in whichever process, wakes up (Linux).
        self.listener.shutdown(socket.SHUT_RD)
        self.listener.close()
        for process in self.processes:
            process.join()  # which first joins its own children


def serve(listener, patience=PATIENCE, ended=None):
    Server(listener, patience, ended).serve()


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


def a_process_each(pause):
    with Service(serve) as service:
        clients = []
        for number in range(1, 6):
            clients.append(Client(service.address))
            print("answer:", clients[-1].ask(f"i am client {number}"))
            pause(0.3)
        for client in clients:
            client.close()
            pause(0.2)


def look(server, port):
    """Children, zombies and sockets of a server, as the system has them: proc(5)."""
    states = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                state, parent = stat.read().rsplit(") ", 1)[1].split()[:2]
        except OSError:
            continue  # it has ended meanwhile
        if int(parent) == server:
            states.append(state)
    zombies = states.count("Z")
    # slot local remote state queues timer retries user timeout inode
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    ours = [row for row in rows if row[1].endswith(f":{port:04X}")]
    sockets = sum(row[9] != "0" for row in ours)  # without those in TIME_WAIT
    return len(states) - zombies, zombies, sockets


def nothing_is_left(pause):
    with Service(serve) as service:
        server, port = service.processes[0].pid, service.address[1]
        clients = [Client(service.address) for _ in range(3)]
        for client in clients:
            client.ask("hello")
        print("children, zombies, sockets")
        print(*look(server, port), "clients here")
        pause(1)
        for client in clients:
            client.close()
        end = time.monotonic() + PATIENCE
        while look(server, port) != (0, 0, 1) and time.monotonic() < end:
            time.sleep(0.01)
        print(*look(server, port), "clients gone")
    print(*look(server, port), "server ended")


def odd_lines(address):
    client = Client(address)
    client.send(b"one\ngr\xc3")
    first = client.answer()
    client.send(b"\xb6\xc3\x9fe\n")
    answer = f"{first} {client.answer()}"
    print("half:", answer.encode(), "=", answer)
    print("empty:", ascii(client.ask("")))
    line = "x" + "\u00e9" * ((LONGEST - 2) // 2)
    print("1 MiB:", client.ask(line) == line.upper())
    client.send(b"abc\xff\n")
    print("no UTF-8:", client.answer())
    client.send(b"last words")
    client.socket.shutdown(socket.SHUT_WR)  # sends no more, and still reads
    print("no end:", client.answer())
    client.close()


def send_until_cut_off(client, data):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            client.send(data)
        except (BrokenPipeError, ConnectionResetError):
            return "is cut off"
    return "is not cut off"


def odd_ends(address):
    stays = Client(address)
    stays.ask("hello")
    client = Client(address)
    client.ask("hello")
    client.send(b"half a li")
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    client = Client(address)
    print("endless:", send_until_cut_off(client, b"x" * (1 << 16)), client.answer())
    client = Client(address)
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line = b"do you hear me? " * (1 << 12) + b"\n"
    print("deaf:", send_until_cut_off(client, line))
    client.close()
    client = Client(address)
    print("stays:", stays.ask("and i?"))
    print("next:", client.ask("and i?"))
    client.close()
    stays.close()


def serve_without_children(listener):
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    resource.setrlimit(resource.RLIMIT_NPROC, (1, hard))
    if os.getuid() == 0:
        os.setuid(65_534)  # the limit does not bind root
    server = Server(listener)
    while not server.refused:
        server.turn()
    resource.setrlimit(resource.RLIMIT_NPROC, (soft, hard))
    server.serve()


def process_limit():
    with Service(serve_without_children) as service:
        for _ in range(2):
            client = Client(service.address)
            print("answer:", client.ask("hello"))
            client.close()


def three_processes(speed):
    with Service(work, processes=WORKERS) as service:
        clients = [Client(service.address) for _ in range(WORKERS)]
        print("answers:", [client.ask("hello") for client in clients])
        fourth = Client(service.address)
        fourth.send(b"and i?\n")
        ready = connection.wait([fourth.socket], timeout=1 / speed)
        print("answered while three are here:", bool(ready))
        clients[1].close()
        print("answer:", fourth.answer())
        for client in (*clients, fourth):
            client.close()


def best(times, ask):
    """How many right answers there were in five rounds, and how long one of
    them took in the best round."""
    answers, rounds = 0, []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(times):
            answers += ask() == "HELLO"
        rounds.append((time.perf_counter() - start) / times)
    return answers, min(rounds)


def visit(service):
    client = Client(service.address)
    answer = client.ask("hello")
    client.close()
    return answer


def figure(label, seconds, result):
    print(f"figure\t{label}\t{seconds:.9f}\t{result}")


def price():
    told, ended = Pipe(duplex=False)
    with Service(serve, PATIENCE, ended) as service:
        answers, seconds = best(20, lambda: visit(service))
        pids = []
        while len(pids) < answers and told.poll(PATIENCE):
            pids.append(told.recv())
    result = f"{answers} answers, {len(pids)} processes ended"
    figure("a client: a process each", seconds, result)
    with Service(work, processes=WORKERS) as service:
        answers, seconds = best(20, lambda: visit(service))
        figure("a client: three processes", seconds, answers)
        client = Client(service.address)
        answers, seconds = best(400, lambda: client.ask("hello"))
        figure("a line on one connection", seconds, answers)
        client.close()


def main():
    # What servers print must not come into the middle of a line.
    sys.stdout.reconfigure(line_buffering=True)
    speed = parser(__doc__).parse_args().speed
    set_start_method("fork")

    def pause(seconds):
        time.sleep(seconds / speed)

    a_process_each(pause)
    nothing_is_left(pause)
    with Service(serve, min(1 / speed, 1)) as service:
        odd_ends(service.address)
    with Service(serve) as service:
        odd_lines(service.address)
    process_limit()
    three_processes(speed)
    price()


if __name__ == "__main__":
    main()
