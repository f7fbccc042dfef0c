"""Event: one light, twenty cars. The same as src/main.rs, in Python."""

import sys
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

CARS = 20


class Road:
    """Counts the cars that drive."""

    def __init__(self):
        self.lock = threading.Lock()
        self.driving = 0

    def drive(self):
        with self.lock:
            self.driving += 1


def run_cars(visit, light):
    cars = [threading.Thread(target=visit) for _ in range(CARS)]
    for car in cars:
        car.start()
    light()
    for car in cars:
        car.join()


def red_then_green(pause):
    green, road = threading.Event(), Road()

    def visit():
        green.wait()
        road.drive()

    def light():
        pause(1.5)
        print("while it is red drive:", road.driving)
        green.set()

    run_cars(visit, light)
    print("in the end drive:", road.driving)


def too_late_to_wait():
    green = threading.Event()
    green.set()
    print("green already, waits no time at all:", green.wait(timeout=0))


def only_so_long(pause, speed):
    green = threading.Event()
    print("green in time:", green.wait(timeout=1.0 / speed))
    pause(1.0)
    green.set()
    print("green now:", green.wait())


class Light:
    """threading.Event once more, to be looked into."""

    def __init__(self, forgets):
        self.forgets = forgets
        self.changed = threading.Condition()
        self.green = False
        self.waiting = threading.Semaphore(0)

    def wait(self):
        with self.changed:
            # Whoever changes it afterwards finds this car asleep.
            self.waiting.release()
            self.changed.wait()
            while self.forgets and not self.green:
                self.changed.wait()

    def turn(self, *states):
        with self.changed:
            for self.green in states:
                if self.green:
                    self.changed.notify_all()


def a_short_green(pause):
    for forgets in True, False:
        light, road = Light(forgets), Road()

        def visit():
            light.wait()
            road.drive()

        def flash():
            for _ in range(CARS):
                light.waiting.acquire()
            light.turn(True, False)
            pause(1.0)
            print(f"forgets: {forgets}, at the flash drive:", road.driving)
            light.turn(True)

        run_cars(visit, flash)


def really_started():
    held_up, started = threading.Event(), threading.Event()
    begun = []

    def run():
        held_up.wait()
        begun.append(True)
        started.set()

    # start() of a threading.Thread waits for an event of its own; the thread
    # that it has made says "started" there before it runs the target.
    thread = threading.Thread(target=run)
    thread.start()
    print("begun when start returns:", bool(begun))
    held_up.set()
    started.wait()
    print("begun when the event says so:", bool(begun))
    thread.join()


def price():
    times = 5_000
    there, back = threading.Event(), threading.Event()
    came = answered = 0

    def answer():
        nonlocal came
        for _ in range(times):
            there.wait()
            there.clear()
            came += 1
            back.set()

    start = time.perf_counter()
    thread = threading.Thread(target=answer)
    thread.start()
    for _ in range(times):
        there.set()
        back.wait()
        back.clear()
        answered += 1
    thread.join()
    seconds = (time.perf_counter() - start) / times
    print(f"figure\tthere and back\t{seconds:.9f}\t{[came, answered]}")


def main():
    speed = parser(__doc__).parse_args().speed

    def pause(seconds):
        time.sleep(seconds / speed)

    red_then_green(pause)
    too_late_to_wait()
    only_so_long(pause, speed)
    a_short_green(pause)
    really_started()
    price()


if __name__ == "__main__":
    main()
