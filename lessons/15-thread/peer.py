"""Thread: several at work in one process. The same as src/main.rs, in Python."""

import argparse
import multiprocessing
import operator
import os
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

OPERATIONS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def introduce():
    name = threading.current_thread().name
    print(f"{name}: pid {os.getpid()}, thread id {threading.get_native_id()}")


class Baker(threading.Thread):
    """A type with a `run`: Python calls it in the new thread."""

    def __init__(self, shop):
        super().__init__(name="baker")
        self.shop = shop

    def run(self):
        introduce()
        with self.shop:
            pass


def two_ways(pause):
    introduce()
    shop = threading.Lock()

    def cook():
        introduce()
        with shop:
            pass

    threads = [threading.Thread(target=cook, name="cook"), Baker(shop)]
    with shop:
        for thread in threads:
            thread.start()
        pause(1.0)
        print("threads that live:", threading.active_count())
    for thread in threads:
        thread.join()


def one_memory(pause):
    money = [100]

    def earn():
        money[0] += 100
        pause(1.0)

    thread = threading.Thread(target=earn)
    thread.start()
    thread.join()
    print("main has", money[0])


def write(page_1, bottle, pause):
    print("page: 1", flush=True)
    page_1.set()
    os.read(bottle, 1)
    pause(1.0)
    print("page: 2", flush=True)


def main_ends(joins, pause, bottle, ink):
    # Python's own main joins every thread that is no daemon.
    page_1 = threading.Event()
    writer = threading.Thread(target=write, args=(page_1, bottle, pause), daemon=True)
    writer.start()
    page_1.wait()
    pause(1.0)
    print("my last line; joined:", joins, flush=True)
    if joins:
        os.write(ink, b"!")
        writer.join()


def two_mains(pause):
    for joins in (True, False):
        # No multiprocessing.Event: its set() waits for those who wait for it,
        # also when they have gone with their process.
        bottle, ink = os.pipe()
        arguments = (joins, pause, bottle, ink)
        process = multiprocessing.Process(target=main_ends, args=arguments)
        process.start()
        process.join()
        os.write(ink, b"!")
        os.close(bottle)
        os.close(ink)


def asked_to_stop(pause):
    stop, ticks = threading.Event(), threading.Semaphore(0)

    def tick():
        while not stop.is_set():
            pause(0.7)
            ticks.release()

    clock = threading.Thread(target=tick)
    clock.start()
    for _ in range(3):
        ticks.acquire()
    print("please stop; it runs:", clock.is_alive())
    stop.set()
    clock.join()
    print("joined; it runs:", clock.is_alive())


class Calculation(threading.Thread):
    """Keeps its result or its error, since `join` returns neither."""

    def __init__(self, sign, a, b, pause):
        super().__init__()
        self.sign, self.a, self.b, self.pause = sign, a, b, pause
        self.result = self.error = None

    def run(self):
        self.pause(1.0)
        try:
            self.result = OPERATIONS[self.sign](self.a, self.b)
        except ZeroDivisionError:
            self.error = "division by zero"


def four_operations(a, b, pause):
    threads = [Calculation(sign, a, b, pause) for sign in OPERATIONS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
        print(f"{a} {thread.sign} {b}:", thread.error or thread.result)


def nothing():
    pass


def hundred_processes():
    """How many of a hundred ended well."""
    started = run_hundred(multiprocessing.Process, nothing)
    return sum(process.exitcode == 0 for process in started)


def hundred_threads():
    """How many of a hundred have run."""
    ran = []
    run_hundred(threading.Thread, lambda: ran.append(1))
    return len(ran)


def run_hundred(kind, target):
    started = [kind(target=target) for _ in range(100)]
    for one in started:
        one.start()
    for one in started:
        one.join()
    return started


def measure(label, body):
    start = time.perf_counter()
    result = body()
    seconds = (time.perf_counter() - start) / 100
    print(f"figure\t{label}\t{seconds:.9f}\t{result}")


def number(text):
    try:
        return Decimal(text)
    except ArithmeticError:
        raise argparse.ArgumentTypeError(f"{text} is no number") from None


def main():
    known = parser(__doc__)
    known.add_argument("--numbers", nargs=2, type=number, default=[12, 5])
    options = known.parse_args()
    multiprocessing.set_start_method("fork")

    def pause(seconds):
        time.sleep(seconds / options.speed)

    a, b = (Decimal(number) for number in options.numbers)
    two_ways(pause)
    one_memory(pause)
    two_mains(pause)
    asked_to_stop(pause)
    four_operations(a, b, pause)
    four_operations(a, Decimal(0), pause)
    measure("a process", hundred_processes)
    measure("a thread", hundred_threads)


if __name__ == "__main__":
    main()
