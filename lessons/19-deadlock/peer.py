"""Deadlock: two locks, two orders. The same as src/main.rs, in Python."""

import multiprocessing
import queue
import random
import sys
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

TEN = ["anna", "ben", "carl", "dora", "emil", "fay", "gus", "hana", "ida", "jan"]


class Graph:
    """Who waits for what, and who has it."""

    def __init__(self, found):
        self.lock = threading.Lock()
        self.waits_for = {}
        self.held_by = {}
        self.found = found

    def waits(self, who, lock):
        with self.lock:
            self.waits_for[who] = lock
            circle = self.circle_from(who)
        if circle:
            self.found.put(circle)

    def has(self, who, lock):
        with self.lock:
            self.waits_for.pop(who, None)
            self.held_by[lock] = who

    def gives_back(self, lock):
        with self.lock:
            del self.held_by[lock]

    def circle_from(self, first):
        circle, who = [], first
        while len(circle) < len(self.waits_for):
            lock = self.waits_for.get(who)
            holder = self.held_by.get(lock)
            if holder is None:
                return None
            circle.append((who, lock, holder))
            who = holder
            if who == first:
                return circle
        return None


class Watched:
    """A lock that tells the graph who waits for it and who has it."""

    def __init__(self, name, graph):
        self.name = name
        self.graph = graph
        self.lock = threading.Lock()

    def acquire(self, who):
        self.graph.waits(who, self.name)
        self.lock.acquire()
        self.graph.has(who, self.name)

    def try_acquire(self, who):
        taken = self.lock.acquire(blocking=False)
        if taken:
            self.graph.has(who, self.name)
        return taken

    def release(self):
        self.graph.gives_back(self.name)
        self.lock.release()


def two_orders(who, first, second, both_have_one, pause):
    first.acquire(who)
    pause(0.1)
    both_have_one.wait()
    second.acquire(who)
    pause(0.2)
    second.release()
    first.release()


def one_order(who, first, second, _, pause):
    first, second = sorted([first, second], key=lambda lock: lock.name)
    first.acquire(who)
    pause(0.1)
    second.acquire(who)
    pause(0.2)
    second.release()
    first.release()


def try_and_back_off(who, first, second, both_have_one, pause):
    first.acquire(who)
    pause(0.1)
    both_have_one.wait()
    while not second.try_acquire(who):
        first.release()
        pause(random.uniform(0.1, 0.5))
        first.acquire(who)
    pause(0.2)
    second.release()
    first.release()


def desk(names, write, found, speed):
    """What the child does: a thread for each name."""

    def pause(seconds):
        time.sleep(seconds / speed)

    graph = Graph(found)
    pen, paper = Watched("pen", graph), Watched("paper", graph)
    both_have_one = threading.Barrier(2)
    threads = []
    for n, who in enumerate(names):
        first, second = (pen, paper) if n % 2 == 0 else (paper, pen)
        args = (who, first, second, both_have_one, pause)
        threads.append(threading.Thread(target=write, args=args))
        threads[-1].start()
    for thread in threads:
        thread.join()
    found.put([])


def writers(names, write, speed):
    found = multiprocessing.Queue()
    args = (names, write, found, speed)
    child = multiprocessing.Process(target=desk, args=args, daemon=True)
    child.start()
    try:
        circle = found.get(timeout=20)
    except queue.Empty:
        circle = []
        child.kill()
    for who, lock, holder in circle:
        print(f"  {who} waits for the {lock}, which {holder} has")
    if circle:
        child.join(1.0 / speed)
        child.kill()
    child.join()
    print(f"{write.__name__}: exit code {child.exitcode}")


def price():
    times = 50_000

    def figure(label, seconds, result):
        print(f"figure\t{label}\t{seconds:.12f}\t{result}")

    def measured(body):
        start = time.perf_counter()
        for taken in range(1, times + 1):
            body()
        return taken, (time.perf_counter() - start) / times

    pen, paper = threading.Lock(), threading.Lock()

    def two_locks():
        with pen, paper:
            pass

    graph = Graph(None)
    watched_pen, watched_paper = Watched("pen", graph), Watched("paper", graph)

    def two_watched_locks():
        watched_pen.acquire("writer")
        watched_paper.acquire("writer")
        watched_paper.release()
        watched_pen.release()

    taken, seconds = measured(two_locks)
    figure("two locks", seconds, taken)
    taken, seconds = measured(two_watched_locks)
    figure("two watched locks", seconds, [taken, len(graph.held_by)])


def main():
    speed = parser(__doc__).parse_args().speed

    writers(TEN[:2], two_orders, speed)
    writers(TEN, one_order, speed)
    writers(TEN, try_and_back_off, speed)
    price()


if __name__ == "__main__":
    main()
