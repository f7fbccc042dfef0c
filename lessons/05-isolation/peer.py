"""Isolation: three children, one global. The same as src/main.rs, in Python."""

import multiprocessing
import os
import random
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

money = 100
gifts = []


def three_children(change, look, pause):
    """Each makes its change, waits until all have, and looks."""
    all_have = multiprocessing.Barrier(3)

    def body(gift):
        pause(random.uniform(0.5, 1.5))
        change(gift)
        all_have.wait()
        print(f"+{gift} sees: {look()}", flush=True)

    children = [multiprocessing.Process(target=body, args=(gift,)) for gift in (1, 10, 100)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    print("parent sees:", look(), flush=True)


def a_number(pause):
    def add(gift):
        global money
        money += gift

    three_children(add, lambda: money, pause)


def a_list(pause):
    three_children(gifts.append, lambda: gifts, pause)


def shared_memory(pause):
    number = multiprocessing.Value("i", 100)

    def add(gift):
        with number.get_lock():
            number.value += gift

    three_children(add, lambda: number.value, pause)


def a_pipe(pause):
    ear, mouth = multiprocessing.Pipe(duplex=False)

    def earn():
        global money
        pause(1.0)
        money += 100
        mouth.send(money)

    child = multiprocessing.Process(target=earn)
    child.start()
    mouth.close()
    print("parent hears:", ear.recv())
    print("parent sees:", money)
    child.join()


def measure(label, times, body):
    start = time.perf_counter()
    result = body(times)
    seconds = (time.perf_counter() - start) / times
    print(f"figure\t{label}\t{seconds:.12f}\t{result}")


own = 0


def price():
    def add(times):
        global own
        for _ in range(times):
            own += 1
        return own

    number = multiprocessing.Value("i", 0)

    def add_in_shared_memory(times):
        for _ in range(times):
            with number.get_lock():
                number.value += 1
        return number.value

    ear, mouth = os.pipe()

    def send(times):
        total = 0
        for n in range(times):
            os.write(mouth, n.to_bytes(4, "little"))
            total += int.from_bytes(os.read(ear, 4), "little")
        return total

    measure("add to a global", 100_000, add)
    measure("add in shared memory", 100_000, add_in_shared_memory)
    measure("send through a pipe", 100_000, send)
    os.close(ear)
    os.close(mouth)


def main():
    speed = parser(__doc__).parse_args().speed
    # Copied by fork; a child started by another way would begin anew.
    multiprocessing.set_start_method("fork")

    def pause(seconds):
        time.sleep(seconds / speed)

    a_number(pause)
    a_list(pause)
    shared_memory(pause)
    a_pipe(pause)
    price()


if __name__ == "__main__":
    main()
