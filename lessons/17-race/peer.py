"""Race: lost updates. The same as src/main.rs, in Python."""

import collections
import random
import sys
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

MILLION = 1_000_000
RUNS = 200
ROUNDS = 15
MANY = 200_000
THREADS = 100


class Number:
    value = 0

    def update(self, change):
        seen = self.value
        self.value = seen + change


def run(*bodies):
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def both(body):
    run(lambda: body(1), lambda: body(-1))


def both_read_first(pause):
    number, both_have_read = Number(), threading.Barrier(2)

    def change_it(change):
        pause(random.uniform(0.1, 0.9))
        seen = number.value
        both_have_read.wait()
        pause(random.uniform(0.5, 1.5))
        number.value = seen + change

    both(change_it)
    print("both read first:", number.value)


def one_late_write():
    number, your_turn = Number(), threading.Barrier(2)

    def anna():
        your_turn.wait()
        for _ in range(MILLION):
            number.update(1)
        your_turn.wait()

    def ben():
        seen = number.value
        your_turn.wait()
        your_turn.wait()
        number.value = seen - 1
        for _ in range(MILLION - 1):
            number.update(-1)

    run(anna, ben)
    print("one late write:", number.value)


def two_hundred_runs():
    outcomes = collections.Counter()
    for _ in range(RUNS):
        number, both_have_read = Number(), threading.Barrier(2)

        def change_it(change):
            for _ in range(ROUNDS):
                time.sleep(1e-6)
                seen = number.value
                both_have_read.wait()
                number.value = seen + change

        both(change_it)
        outcomes[number.value] += 1
    for value, runs in sorted(outcomes.items()):
        print(f"{value:4} {runs:4} {'#' * runs}"[:79])


def left_to_luck():
    passed = 0
    for _ in range(RUNS // 20):  # Python is slower
        number = Number()
        both(lambda change: [number.update(change) for _ in range(MANY)])
        passed += number.value == 0
    print(f"left to luck: {passed} of {RUNS // 20} would pass a test")


def measured(update):
    """A million updates by each of two threads: how many, and how long one took."""
    made = []

    def million_times(change):
        for mine in range(1, MILLION + 1):
            update(change)
        made.append(mine)

    start = time.perf_counter()
    both(million_times)
    seconds = time.perf_counter() - start
    return sum(made), seconds / sum(made)


def figure(label, seconds, result):
    print(f"figure\t{label}\t{seconds:.12f}\t{result}")


def lock_or_atomic():
    made, seconds = measured(Number().update)
    figure("read, then write", seconds, made)

    locked, lock = Number(), threading.Lock()

    def update_locked(change):
        with lock:
            locked.value += change

    made, seconds = measured(update_locked)
    figure("with a lock", seconds, [made, locked.value])

    # Python has no atomic number; append is one step for its interpreter.
    changes = collections.deque()
    _, seconds = measured(changes.append)
    figure("with an atomic", seconds, [len(changes), sum(changes)])


def all_read_first():
    number, all_have_read = Number(), threading.Barrier(THREADS)

    def add():
        seen = number.value
        all_have_read.wait()
        number.value = seen + 1

    run(*[add] * THREADS)
    print("a hundred read first, lost:", THREADS - number.value)


def one_at_a_time(pause):
    number, lock = Number(), threading.Lock()

    def add():
        with lock:
            seen = number.value
            pause(0.02)
            number.value = seen + 1

    run(*[add] * THREADS)
    print("one at a time, lost:", THREADS - number.value)


def main():
    speed = parser(__doc__).parse_args().speed

    def pause(seconds):
        time.sleep(seconds / speed)

    both_read_first(pause)
    one_late_write()
    two_hundred_runs()
    left_to_luck()
    lock_or_atomic()
    all_read_first()
    one_at_a_time(pause)


if __name__ == "__main__":
    main()
