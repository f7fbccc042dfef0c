"""Monkey patch: the same as src/main.rs, in Python.

The module socket is used as it is, and then once more when gevent has replaced
what is in it.
"""

import argparse
import os
import socket
import subprocess
import threading
import time

import gevent
from gevent import monkey

PAGES = 8
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


class Site:
    """The same local site as the lesson's, as long as the block lasts."""

    def __init__(self, latency):
        self.command = (
            "cargo run --quiet --package shared --features site --bin site --"
            f" --listen 127.0.0.1:0 --until-eof --latency {latency}"
        ).split()

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command,
            cwd=TOP,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        host, port = self.process.stdout.readline().strip()[7:].split(":")
        return host, int(port)

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def get(address, path):
    """One question and its answer; it never says which socket it has."""
    with socket.create_connection(address) as connection:
        question = f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n"
        connection.sendall(question.encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    head, page = answer.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.0 200 "), head
    return page.decode()


def eight_pages(address, each=1):
    """The lengths of the pages, and how many waited at once at most."""
    waiting, peak = 0, 0

    def ask(n):
        nonlocal waiting, peak
        for _ in range(each):
            waiting += 1
            peak = max(peak, waiting)
            page = get(address, f"/pages/{n}")
            waiting -= 1
        return len(page)

    greenlets = [gevent.spawn(ask, n) for n in range(1, PAGES + 1)]
    gevent.joinall(greenlets, raise_error=True)
    return [greenlet.value for greenlet in greenlets], peak


def show(kind, slow):
    start = time.perf_counter()
    lengths, peak = eight_pages(slow)
    took = time.perf_counter() - start
    print(f"{kind}: bytes {lengths}, waiting at once: {peak}, {took:.3f} s")


def measure(label, quick):
    each = 50
    start = time.perf_counter()
    eight_pages(quick, each)
    seconds = (time.perf_counter() - start) / (PAGES * each)
    print(f"figure\t{label}\t{seconds:.9f}")


def a_client_that_yields(address):
    """urllib is imported when everything is patched, as it has to be."""
    import urllib.request

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    url = f"http://{address[0]}:{address[1]}/pages/"

    def ask(n):
        with opener.open(f"{url}{n}", timeout=10) as answer:
            return len(answer.read())

    start = time.perf_counter()
    greenlets = [gevent.spawn(ask, n) for n in range(1, PAGES + 1)]
    gevent.joinall(greenlets, raise_error=True)
    took = time.perf_counter() - start
    lengths = [greenlet.value for greenlet in greenlets]
    print(f"urllib, patched: bytes {lengths}, {took:.3f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=float, default=1.0)
    speed = parser.parse_args().speed
    with Site(0.3 / speed) as slow, Site(0) as quick:
        before = socket.socket
        show("socket as it is", slow)
        measure("a page, blocking socket", quick)
        monkey.patch_socket()
        print("the class behind socket.socket is another now:",
              socket.socket is not before)
        show("socket, patched", slow)
        measure("a page, yielding socket", quick)
        a_client_that_yields(slow)
    assert threading.active_count() == 1


if __name__ == "__main__":
    main()
