"""Process: a process as an object. The same as src/main.rs, in Python."""

import argparse
import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

# A copy, as in Rust; "spawn" would start afresh.
mp = multiprocessing.get_context("fork")
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
JOBS = [1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5]
LIMIT = 5
oven = 20


def say(*words):
    # In one call, or two processes may write into one line.
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def for_ever(job, begun):
    say(f"the cook {job}")
    begun.set()
    while True:
        time.sleep(0.1)


def only_one(pause):
    begun = mp.Event()

    def cook():
        for_ever("stirs", begun)
        for_ever("serves", begun)

    process = mp.Process(target=cook)
    process.start()
    begun.wait()
    pause(1.5)
    process.terminate()
    process.join()


def seven_jobs(pause):
    start = time.perf_counter()
    for seconds in JOBS:
        pause(seconds)
    in_turn = time.perf_counter() - start

    all_begun = mp.Barrier(len(JOBS))

    def job(seconds):
        all_begun.wait()
        pause(seconds)

    processes = [mp.Process(target=job, args=(seconds,)) for seconds in JOBS]
    start = time.perf_counter()
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    at_once = time.perf_counter() - start
    say(f"seven jobs in turn: {in_turn:.2f} s, at once: {at_once:.2f} s")


def an_object(pause, speed):
    go, bread = mp.Event(), mp.SimpleQueue()

    def bake(order):
        me = mp.current_process()
        say(f"child: I am {me.name}, {me.pid}")
        go.wait()
        pause(1.0)
        bread.put(" and ".join(order))

    baker = mp.Process(target=bake, args=(["rye", "wheat"],))
    baker.start()
    say(f"parent: {baker.name}, {baker.pid}, alive: {baker.is_alive()}")
    baker.join(timeout=0.5 / speed)
    say("after a while its exit code is", baker.exitcode)
    go.set()
    baker.join()
    say(f"in the end {baker.exitcode}; alive: {baker.is_alive()}")
    say("bread:", bread.get())


def exit_code():
    process = mp.Process(name="counter", target=lambda: sys.exit(3))
    process.start()
    process.join()
    say(process.name, "exited with code", process.exitcode)


def called_not_started():
    process = mp.Process(target=lambda: say("done in", os.getpid()))
    say("I am", os.getpid())
    process.run()
    process.start()
    process.join()


def terminate_and_kill(pause, speed):
    begun = mp.Event()
    willing = mp.Process(target=for_ever, args=("sleeps", begun))
    willing.start()
    begun.wait()
    pause(0.5)
    willing.terminate()
    willing.join()
    say("willing, asked to end:", willing.exitcode)

    begun.clear()

    def hear_nothing():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        for_ever("sleeps", begun)

    deaf = mp.Process(target=hear_nothing)
    deaf.start()
    begun.wait()
    deaf.terminate()
    deaf.join(timeout=0.5 / speed)
    say("deaf, asked to end, lives:", deaf.is_alive())
    deaf.kill()
    deaf.join()
    say("deaf, killed:", deaf.exitcode)


def parent_ends_first(pause):
    # Orphans below this process are to be its own: Python has no call for it.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    parent_ended = mp.Event()

    def child():
        parent_ended.wait()
        say("child: works on without its parent")
        pause(1.0)

    def parent():
        mp.Process(target=child).start()
        pause(1.0)
        os._exit(0)  # a Python process waits for its children, or it would

    process = mp.Process(target=parent)
    process.start()
    process.join()
    parent_ended.set()
    os.wait()


def run_again(argument, number):
    program = [sys.executable, __file__, argument, str(number)]
    run = subprocess.run(
        program, check=True, text=True, capture_output=True, stdin=subprocess.DEVNULL)
    return run.stdout.strip()


def measure(label, times, start):
    begin = time.perf_counter()
    result = sum(start(n) for n in range(times))
    seconds = (time.perf_counter() - begin) / times
    say(f"figure\t{label}\t{seconds:.9f}\t{result}")


def start_afresh():
    global oven
    oven = 200

    def start_copy(_number):
        process = mp.Process(target=lambda: sys.exit(oven))
        process.start()
        process.join()
        return process.exitcode

    def sum_afresh(number):
        return sum(map(int, run_again("--oven", number).split()))

    say("a copy finds", start_copy(0))
    say("started afresh, and told:", run_again("--oven", 180))
    measure("start a copy, and wait", 20, start_copy)
    measure("start afresh, and wait", 20, sum_afresh)


def without_a_guard():
    say("main begins in", ", ".join(run_again("--unguarded", LIMIT).split()))


def begin_unguarded(limit):
    say(os.getpid())
    if limit > 1:
        say(run_again("--unguarded", limit - 1))


def main():
    known = parser(__doc__)
    known.add_argument("--oven", type=int, help=argparse.SUPPRESS)
    known.add_argument("--unguarded", type=int, help=argparse.SUPPRESS)
    options = known.parse_args()
    if options.oven is not None:
        return say(oven, options.oven)
    if options.unguarded is not None:
        return begin_unguarded(min(options.unguarded, LIMIT))

    def pause(seconds):
        time.sleep(seconds / options.speed)

    only_one(pause)
    seven_jobs(pause)
    an_object(pause, options.speed)
    called_not_started()
    exit_code()
    terminate_and_kill(pause, options.speed)
    parent_ends_first(pause)
    start_afresh()
    without_a_guard()


if __name__ == "__main__":
    main()
