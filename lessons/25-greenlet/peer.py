"""Greenlet: switch by hand. The same as src/main.rs, in Python.

Needs greenlet from PyPI: `just python` installs it below target/.
"""

import sys
import threading
import time
from pathlib import Path

import greenlet

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser


def verse(sing):
    def sing_anna():
        sing("anna", "Who has seen the wind?")
        ben.switch()
        sing("anna", "But when the leaves hang trembling,")
        ben.switch()
        sing("anna", "(sung only if somebody switches back)")

    def sing_ben():
        sing("ben", "Neither I nor you:")
        anna.switch()
        sing("ben", "The wind is passing through.")

    anna, ben = greenlet.greenlet(sing_anna), greenlet.greenlet(sing_ben)
    anna.switch()
    sing("parent", "One has ended; control is back here.")


def deep_inside(pause):
    def squares(n):
        if n == 0:
            return 0
        mine = n * n
        pause(0.3)
        ben.switch()
        return mine + squares(n - 1)

    def work():
        while True:
            pause(0.3)
            anna.switch()

    anna = greenlet.greenlet(lambda: print("sum:", squares(4)))
    ben = greenlet.greenlet(work)
    anna.switch()


def panics_and_ends():
    def go_on():
        ben.switch()
        print("anna goes on")

    def fail():
        raise RuntimeError("lost the tune")

    anna, ben = greenlet.greenlet(go_on), greenlet.greenlet(fail)
    try:
        anna.switch()
    except RuntimeError as error:
        print("the parent got:", error)
    anna.switch()
    ben.switch()  # returns at once: ben has ended
    print("ben has ended:", ben.dead)


def price():
    switches = 0

    def take_anna():
        nonlocal switches
        for _ in range(100_000):
            switches += 1
            ben.switch()

    def take_ben():
        nonlocal switches
        for _ in range(100_000):
            switches += 1
            anna.switch()

    anna, ben = greenlet.greenlet(take_anna), greenlet.greenlet(take_ben)
    start = time.perf_counter()
    anna.switch()
    figure("switch", (time.perf_counter() - start) / 200_000, switches)

    turn, changed = "anna", threading.Condition()
    turns = 0

    def run(me, other):
        nonlocal turn, turns
        for _ in range(2_000):
            with changed:
                changed.wait_for(lambda: turn == me)
                turn = other
                turns += 1
                changed.notify()

    start = time.perf_counter()
    thread = threading.Thread(target=run, args=("ben", "anna"))
    thread.start()
    run("anna", "ben")
    thread.join()
    figure("thread hand-over", (time.perf_counter() - start) / 4_000, turns)


def figure(label, seconds, result):
    print(f"figure\t{label}\t{seconds:.12f}\t{result}")


def main():
    speed = parser(__doc__).parse_args().speed

    def pause(seconds):
        time.sleep(seconds / speed)

    def sing(singer, line):
        print(f"{singer}: {line}")
        pause(0.8)

    verse(sing)
    deep_inside(pause)
    panics_and_ends()
    price()


if __name__ == "__main__":
    main()
