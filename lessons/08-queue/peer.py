"""Queue: what one process puts, another gets. The same as src/main.rs, in Python."""

import multiprocessing
import pickle
import queue
import random
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

# A copy, as in Rust; other ways start afresh.
mp = multiprocessing.get_context("fork")
# Nothing else tells a getter that nothing more will come.
END = None


def cook(orders, cooked, pause, least, most):
    while (order := orders.get()) is not END:
        pause(random.uniform(least, most))
        cooked.put(order)


def first_in_first_out(pause):
    orders, cooked = mp.Queue(16), mp.Queue()
    kitchen = mp.Process(target=cook, args=(orders, cooked, pause, 0.6, 0.6))
    kitchen.start()
    for dish in "soup", "rice", "tea":
        pause(0.3)
        orders.put(dish)
    orders.put(END)
    print("cooked:", [cooked.get() for _ in range(3)])
    kitchen.join()


def empty_and_full():
    orders = mp.Queue(2)
    try:
        orders.get_nowait()
    except queue.Empty as error:
        print("the empty queue says", type(error).__name__)
    orders.put(1)
    orders.put(2)
    try:
        orders.put_nowait(3)
    except queue.Full as error:
        print("the full one says", type(error).__name__)
    print("in it:", [orders.get(), orders.get()])


def timeouts(speed):
    orders, timeout = mp.Queue(1), 1 / speed
    start = time.perf_counter()
    try:
        orders.get(timeout=timeout)
    except queue.Empty:
        print(f"get: waited / timeout = {(time.perf_counter() - start) / timeout:.2f}")
    orders.put(1)
    start = time.perf_counter()
    try:
        orders.put(2, timeout=timeout)
    except queue.Full:
        print(f"put: waited / timeout = {(time.perf_counter() - start) / timeout:.2f}")
    orders.get()


def put_later(orders, pause):
    pause(1.0)
    orders.put(7)


def in_time(pause):
    orders = mp.Queue(1)
    waiter = mp.Process(target=put_later, args=(orders, pause))
    waiter.start()
    print("the cook gets order", orders.get(timeout=3600))
    waiter.join()


def each_once(pause):
    orders, cooked = mp.Queue(4), mp.Queue()
    kitchen = [
        mp.Process(target=cook, args=(orders, cooked, pause, 0.1, 0.5))
        for _ in range(4)
    ]
    for process in kitchen:
        process.start()
    for order in range(1, 25):
        orders.put(order)
    for _ in kitchen:
        orders.put(END)
    print("cooked:", sorted(cooked.get() for _ in range(24)))
    for process in kitchen:
        process.join()


def on_the_wire():
    order = {"table": 7, "dish": "rice", "cents": 300}
    for item in 7, 300, -1, "rice", order:
        print(f"{item!r}: {len(pickle.dumps(item))} bytes, {pickle.dumps(item).hex(' ')}")


def get_all(items, size, total):
    total.value = sum(map(size, iter(items.get, END)))


def pass_on(label, times, item, size):
    items, total = mp.Queue(1000), mp.Value("q", 0)
    getter = mp.Process(target=get_all, args=(items, size, total))
    getter.start()
    start = time.perf_counter()
    for _ in range(times):
        items.put(item)
    items.put(END)
    getter.join()
    seconds = (time.perf_counter() - start) / times
    print(f"figure\t{label}\t{seconds:.12f}\t{total.value}")


def price():
    pass_on("a number", 10_000, 7, int)
    pass_on("4 KiB of text", 2_000, "x" * 4096, len)


class Pause:
    """Waits at the chosen speed; unlike a closure it can be sent to a process."""

    def __init__(self, speed):
        self.speed = speed

    def __call__(self, seconds):
        time.sleep(seconds / self.speed)


def main():
    speed = parser(__doc__).parse_args().speed
    pause = Pause(speed)
    first_in_first_out(pause)
    empty_and_full()
    timeouts(speed)
    in_time(pause)
    each_once(pause)
    on_the_wire()
    price()


if __name__ == "__main__":
    main()
