"""Fork: one call, two returns. The same as src/main.rs, in Python."""

import ctypes
import io
import os
import resource
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def in_child(body):
    """Run `body` in a child, which ends with the exit code it returns."""
    pid = os.fork()
    if pid == 0:
        os._exit(body() or 0)
    return pid


def exit_code(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def one_call_two_returns(pause):
    pid = os.fork()
    if pid == 0:
        print(f"child: fork returned {pid}; I am {os.getpid()}", flush=True)
        pause(1.0)
        os._exit(0)
    print(f"parent: fork returned {pid}; I am {os.getpid()}", flush=True)
    exit_code(pid)


def memory_is_copied(pause):
    money = [100]

    def earn():
        money[0] += 100
        print(f"child: money is {money[0]}, at {id(money):#x}", flush=True)
        pause(1.0)

    exit_code(in_child(earn))
    print(f"parent: money is {money[0]}, at {id(money):#x}", flush=True)


def ended_but_not_gone(pause):
    pid = in_child(lambda: 7)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    with open(f"/proc/{pid}/stat") as stat:
        print("before waitpid:", " ".join(stat.read().split()[:3]))
    pause(1.0)
    print("its exit code:", exit_code(pid))


def adopted(pause):
    # Orphans below this process are to be its own: Python has no call for it.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    ear, mouth = os.pipe()

    def parent():
        def child():
            os.read(ear, 1)
            print("child: my parent is now", os.getppid(), flush=True)

        in_child(child)
        pause(1.0)

    pid = in_child(parent)
    print(f"born of {pid}, below {os.getpid()}", flush=True)
    exit_code(pid)
    os.write(mouth, b"!")
    exit_code(-1)
    os.close(ear)
    os.close(mouth)


def printed_twice():
    for state in ("full", "empty"):
        paper, ink = os.pipe()
        buffer = io.TextIOWrapper(io.FileIO(ink, "w"))
        buffer.write("paid 100; ")
        if state == "empty":
            buffer.flush()
        exit_code(in_child(buffer.flush))
        buffer.close()
        with open(paper) as text:
            print(f"buffer {state} at the fork: {text.read()}", flush=True)


def no_more_processes():
    def fork_over_the_limit():
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
        if os.getuid() == 0:
            os.setuid(65534)
        try:
            exit_code(in_child(lambda: 0))
        except BlockingIOError as error:
            print("child:", error, flush=True)

    exit_code(in_child(fork_over_the_limit))


def repeat(times):
    # Child n exits with code n; what comes of all is the sum.
    return sum(exit_code(in_child(lambda: n)) for n in range(times))


def measure(label, times):
    start = time.perf_counter()
    codes = repeat(times)
    seconds = (time.perf_counter() - start) / times
    print(f"figure\t{label}\t{seconds:.9f}\t{codes}")


def main():
    speed = parser(__doc__).parse_args().speed

    def pause(seconds):
        time.sleep(seconds / speed)

    one_call_two_returns(pause)
    memory_is_copied(pause)
    ended_but_not_gone(pause)
    adopted(pause)
    printed_twice()
    no_more_processes()
    repeat(20)  # the first ones cost more
    measure("fork and wait", 100)
    memory = bytearray(b"1") * (64 << 20)
    measure("with 64 MiB more", 20)
    del memory


if __name__ == "__main__":
    main()
