"""Async and await: the same as src/main.rs, in Python.

asyncio has one event loop in one thread, as tokio's current_thread runtime.
"""

import argparse
import asyncio
import os
import queue
import socket
import subprocess
import sys
import threading
import time

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


def page_on_the_line(address, path):
    with socket.create_connection(address) as connection:
        connection.sendall(question(path))
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return page_in(answer)


async def page_called_back(address, path):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(question(path))
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return page_in(answer)


def question(path):
    return f"GET {path} HTTP/1.0\r\n\r\n".encode()


def page_in(answer):
    head, page = answer.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.0 200 "), head
    return page.decode()


async def one_request(address, seconds):
    start = time.perf_counter()
    page_on_the_line(address, "/pages/3")
    time.sleep(seconds(0.6))  # works
    print(f"on the line, then work: {time.perf_counter() - start:.3f} s")

    async def work():
        for _ in range(3):
            await asyncio.sleep(0)  # the request goes on here, when it can
            time.sleep(seconds(0.2))

    start = time.perf_counter()
    await asyncio.gather(page_called_back(address, "/pages/3"), work())
    print(f"called back, with work: {time.perf_counter() - start:.3f} s")


def polled_by_hand():
    """A coroutine is sent None where a Rust future is polled."""

    class Call:
        def __await__(self):
            return (yield "call me back")

    async def request(asked):
        asked.append(True)
        return await Call()

    asked = []
    coroutine = request(asked)
    print("asked when it is made:", bool(asked))
    print("first:", coroutine.send(None))
    try:
        coroutine.send("anna")
    except StopIteration as end:
        print("second:", end.value)


async def all_at_once(address):
    paths = [f"/pages/{n}" for n in range(1, PAGES + 1)]
    start = time.perf_counter()
    for path in paths:
        await page_called_back(address, path)
    print(f"in turn: {time.perf_counter() - start:.3f} s")
    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for path in paths:
            group.create_task(page_called_back(address, path))
    print(f"tasks: {time.perf_counter() - start:.3f} s")


class Line:
    """Held by a coroutine as long as it is on the telephone."""

    def __init__(self, holder):
        self.holder = holder

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        because = f" ({kind.__name__})" if kind else ""
        print(f"{self.holder} hangs up{because}")


async def answer_after(me, seconds):
    with Line(me):
        await asyncio.sleep(seconds)
        print(f"{me} answers")


async def never_answer(me):
    with Line(me):
        await asyncio.get_running_loop().create_future()
        print(f"{me} answers")


async def first_wins(seconds):
    anna = asyncio.create_task(answer_after("anna", seconds(1.0)))
    ben = asyncio.create_task(never_answer("ben"))
    # Unlike select!, wait does not end those that lose.
    await asyncio.wait({anna, ben}, return_when=asyncio.FIRST_COMPLETED)
    ben.cancel()
    await asyncio.gather(ben, return_exceptions=True)
    print("main has an answer")
    try:
        await asyncio.wait_for(never_answer("carl"), seconds(1.0))
    except TimeoutError:
        print("carl is late")


async def aborted(seconds):
    ben = asyncio.create_task(never_answer("ben"))
    await asyncio.sleep(seconds(0.5))
    print("cancel:", ben.cancel(), "done:", ben.done())
    try:
        await ben
    except asyncio.CancelledError:
        print("ben was cancelled")


async def block(seconds, how):
    """A clock ticks three times, and a job blocks until it has."""
    ticks, begun = queue.SimpleQueue(), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def clock():
        await begun.wait()
        for _ in range(3):
            await asyncio.sleep(seconds(0.4))
            ticks.put(True)

    def job(patience):
        loop.call_soon_threadsafe(begun.set)
        heard = 0
        try:
            while heard < 3:
                ticks.get(timeout=patience)
                heard += 1
        except queue.Empty:
            print("the job's patience is over")
        return heard

    ticking = asyncio.create_task(clock())
    if how == "here":
        heard = job(seconds(1.5))
    else:
        heard = await asyncio.to_thread(job, 10.0)
    print(f"ticks heard by a job that blocks {how}: {heard}")
    await ticking


async def price():
    async def nothing():
        pass

    coroutine = page_called_back(("127.0.0.1", 1), "/")
    print("a coroutine that has not begun, bytes:", sys.getsizeof(coroutine))
    coroutine.close()

    start = time.perf_counter()
    for _ in range(10_000):
        await asyncio.create_task(nothing())
    figure("a task", (time.perf_counter() - start) / 10_000)

    start = time.perf_counter()
    for _ in range(200):
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()
    figure("a thread", (time.perf_counter() - start) / 200)


def figure(label, taken):
    print(f"figure\t{label}\t{taken:.9f}")


async def run_all(seconds):
    with Site(seconds(1.0)) as address:
        await one_request(address, seconds)
    polled_by_hand()
    with Site(seconds(0.4)) as address:
        await all_at_once(address)
    await first_wins(seconds)
    await aborted(seconds)
    await block(seconds, "here")
    await block(seconds, "elsewhere")
    await price()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=float, default=1.0)
    speed = parser.parse_args().speed
    asyncio.run(run_all(lambda natural: natural / speed))


if __name__ == "__main__":
    main()
