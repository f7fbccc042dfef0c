"""Async and await: the same as src/main.rs, in Python.

asyncio has one event loop in one thread, as tokio's current_thread runtime.
"""

import asyncio
import queue
import socket
import sys
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from local_site import Site
from peer_options import parser

PAGES = 8


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
    page = page_on_the_line(address, "/pages/3")
    time.sleep(seconds(0.6))  # works
    figure("on the line, then work", time.perf_counter() - start, len(page.encode()))

    async def work():
        # Small pieces: asyncio comes back several times before it has asked.
        for _ in range(30):
            await asyncio.sleep(0)  # the request goes on here, when it can
            time.sleep(seconds(0.02))

    start = time.perf_counter()
    page, _ = await asyncio.gather(page_called_back(address, "/pages/3"), work())
    figure("called back, with work", time.perf_counter() - start, len(page.encode()))


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


async def let_go(seconds):
    """The loop has a weak reference to the task; here its timer has another."""
    told = asyncio.Event()

    async def answer():
        await answer_after("anna", seconds(0.5))
        told.set()

    asyncio.create_task(answer())
    await told.wait()


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
    async def one():
        return 1

    coroutine = page_called_back(("127.0.0.1", 1), "/")
    print("a coroutine that has not begun, bytes:", sys.getsizeof(coroutine))
    coroutine.close()

    start = time.perf_counter()
    ended = 0
    for _ in range(10_000):
        ended += await asyncio.create_task(one())
    figure("a task", (time.perf_counter() - start) / 10_000, ended)

    ones = []
    start = time.perf_counter()
    for _ in range(200):
        thread = threading.Thread(target=ones.append, args=(1,))
        thread.start()
        thread.join()
    figure("a thread", (time.perf_counter() - start) / 200, sum(ones))


def figure(label, taken, result):
    print(f"figure\t{label}\t{taken:.9f}\t{result}")


async def run_all(seconds):
    print("starts the local site; cargo builds it first if it must", flush=True)
    with Site(seconds(1.0)) as site:
        await one_request(site.address, seconds)
    polled_by_hand()
    with Site(seconds(0.4)) as site:
        await all_at_once(site.address)
    await first_wins(seconds)
    await aborted(seconds)
    await let_go(seconds)
    await block(seconds, "here")
    await block(seconds, "elsewhere")
    await price()


def main():
    speed = parser(__doc__).parse_args().speed
    asyncio.run(run_all(lambda natural: natural / speed))


if __name__ == "__main__":
    main()
