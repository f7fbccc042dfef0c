"""Thread states: new, runnable, running, blocked, ended. The same in Python."""

import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

PATIENCE = 5.0  # seconds to look for a state that is to come


def state(tid, pid="self"):
    """The letter of a thread's state; - when the system knows no such thread."""
    try:
        with open(f"/proc/{pid}/task/{tid}/stat") as stat:
            return stat.read().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return "-"


def until(letter, tid, pid="self"):
    """Look until the state is this one. Who is blocked cannot tell us."""
    begin = time.monotonic()
    while (seen := state(tid, pid)) != letter:
        if time.monotonic() > begin + PATIENCE:
            break
        time.sleep(0.001)
    return seen


def start(body):
    thread = threading.Thread(target=body)
    thread.start()
    return thread


def new(pause):
    leave = threading.Event()
    before = len(os.listdir("/proc/self/task"))
    worker = threading.Thread(target=leave.wait)
    pause(0.5)
    print("described: more threads:", len(os.listdir("/proc/self/task")) - before)
    worker.start()
    print("started: more threads:", len(os.listdir("/proc/self/task")) - before)
    pause(0.5)
    leave.set()
    worker.join()


def one_core(pause):
    # Two processes: of Python's own threads one at a time computes anyway.
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    worker = multiprocessing.Process(target=count, daemon=True)
    worker.start()
    pause(1.0)
    mine = state(threading.get_native_id())
    print("who looks:", mine, " who has no core:", until("R", worker.pid, worker.pid))
    worker.kill()
    worker.join()
    os.sched_setaffinity(0, cores)


def count():
    while True:
        pass


def blocked(pause):
    lock, seen = threading.Lock(), threading.Event()
    ear, mouth = os.pipe()

    def sleep():
        while not seen.is_set():
            pause(1.0)

    with lock:
        threads = [start(lambda: lock.acquire()), start(lambda: os.read(ear, 1)), start(sleep)]
        for name, thread in zip(("buyer", "reader", "sleeper"), threads):
            print(f"{name}:", until("S", thread.native_id))
        pause(0.7)
        seen.set()
        os.write(mouth, b"!")
    for thread in threads:
        thread.join()
    os.close(ear)
    os.close(mouth)


def undisturbed(pause):
    # In a process of its own: posix_spawn keeps the interpreter's lock, so that
    # no other thread could look.
    with tempfile.TemporaryDirectory() as folder:
        gate = os.path.join(folder, "gate")
        os.mkfifo(gate)
        starter = multiprocessing.Process(target=start_behind, args=(gate,))
        starter.start()
        print("the starter:", until("D", starter.pid, starter.pid))
        pause(1.0)
        both_ends = os.open(gate, os.O_RDWR)
        starter.join()
        os.close(both_ends)


def start_behind(gate):
    first = [(os.POSIX_SPAWN_OPEN, 0, gate, os.O_RDONLY, 0)]
    os.waitpid(os.posix_spawnp("true", ["true"], {}, file_actions=first), 0)


def stopped(pause):
    process = multiprocessing.Process(target=wait_and_count, daemon=True)
    process.start()
    while len(threads := os.listdir(f"/proc/{process.pid}/task")) < 2:
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    print("stopped:", [state(tid, process.pid) for tid in threads])
    pause(1.0)
    os.kill(process.pid, signal.SIGCONT)
    os.waitid(os.P_PID, process.pid, os.WCONTINUED)
    print("continued:", [state(tid, process.pid) for tid in threads])
    pause(0.5)
    process.kill()
    process.join()


def wait_and_count():
    threading.Thread(target=count, daemon=True).start()
    threading.Event().wait()


def ended(pause):
    thread = start(lambda: pause(0.5))
    thread.join()
    print("a thread that was joined:", until("-", thread.native_id))
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    print("a process that has ended:", state(pid, pid))
    os.waitpid(pid, 0)
    print("and was waited for:", state(pid, pid))


def life(pause):
    lock, enough = threading.Lock(), [threading.Event(), threading.Event()]

    def work():
        for wanted, waits in zip(enough, (lock, contextlib.nullcontext())):
            while not wanted.is_set():
                pass
            with waits:
                pass

    letters = []
    with lock:
        worker = start(work)
        letters.append(until("R", worker.native_id))
        pause(1.0)
        enough[0].set()
        letters.append(until("S", worker.native_id))
        pause(1.0)
    letters.append(until("R", worker.native_id))
    pause(1.0)
    enough[1].set()
    worker.join()
    letters.append(until("-", worker.native_id))
    print("its letters:", letters)


def there_and_back(times):
    """Sends a byte to another thread, which sends it back; the sum of those."""
    (ping_ear, ping), (pong_ear, pong) = os.pipe(), os.pipe()

    def answer():
        for _ in range(times):
            os.write(pong, os.read(ping_ear, 1))

    thread = start(answer)
    came = 0
    for _ in range(times):
        os.write(ping, b"!")
        came += os.read(pong_ear, 1)[0]
    thread.join()
    for end in (ping_ear, ping, pong_ear, pong):
        os.close(end)
    return came


def look(times):
    tid = threading.get_native_id()
    return sum(state(tid) == "R" for _ in range(times))


def measure(label, times, body):
    begin = time.perf_counter()
    result = body()
    seconds = (time.perf_counter() - begin) / times
    print(f"figure\t{label}\t{seconds:.9f}\t{result}")


def main():
    speed = parser(__doc__).parse_args().speed
    multiprocessing.set_start_method("fork")

    def pause(seconds):
        time.sleep(seconds / speed)

    new(pause)
    one_core(pause)
    blocked(pause)
    undisturbed(pause)
    stopped(pause)
    ended(pause)
    life(pause)
    measure("blocked and woken", 4000, lambda: there_and_back(2000))
    measure("a look at a state", 2000, lambda: look(2000))


if __name__ == "__main__":
    main()
