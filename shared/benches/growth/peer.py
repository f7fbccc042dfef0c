"""The same in Python: `peer.py TASK PATIENCE NUMBER [SIZE ...]`.

Prints the values and what the work came to, as JSON; a server prints its port.
After PATIENCE seconds it ends, and with it all its processes.
"""

import asyncio
import ctypes
import json
import multiprocessing as mp
import os
import signal
import socket
import sys
import time

BUFFER = 4096
PR_SET_PDEATHSIG = 1


def squares(workers, jobs):
    return mapped(workers, square, range(jobs))


def square(n):
    return n * n


def primes(workers, jobs, below):
    global JOBS, BELOW
    JOBS, BELOW = jobs, below
    return mapped(workers, primes_of_job, range(jobs), chunksize=1)


def primes_of_job(job):
    return sum(map(is_prime, range(job, BELOW, JOBS)))


def is_prime(n):
    if n < 2:
        return False
    divisor = 2
    while divisor * divisor <= n:
        if n % divisor == 0:
            return False
        divisor += 1
    return True


def mapped(workers, job, numbers, chunksize=None):
    began = time.perf_counter()
    with mp.Pool(workers) as pool:
        result = sum(pool.map(job, numbers, chunksize))
        pool.close()
        pool.join()
    return [time.perf_counter() - began], result


def items(number, capacity):
    queue = mp.Queue(capacity)
    putter = mp.Process(target=put_all, args=(queue, number))
    putter.start()
    total = queue.get()
    began = time.perf_counter()
    for _ in range(1, number):
        total += queue.get()
    took = time.perf_counter() - began
    putter.join()
    return [took / (number - 1)], total


def put_all(queue, number):
    for n in range(number):
        queue.put(n)


class Dormitory:
    """Counts who sleeps and who has woken."""

    def __init__(self):
        self.asleep = self.woken = 0
        self.before = memory()

    def falls_asleep(self):
        self.asleep += 1

    def wakes(self):
        self.woken += 1

    def memory_each(self):
        """The memory for each; none if some have woken already."""
        more = memory() - self.before
        return None if self.woken else more / self.asleep


def memory():
    with open("/proc/self/smaps_rollup") as rollup:
        line = next(line for line in rollup if line.startswith("Rss:"))
    return int(line.split()[1]) * 1024


def sleepers_gevent(number, nap):
    import gevent

    beds = Dormitory()

    def night():
        beds.falls_asleep()
        gevent.sleep(nap / 1000)
        beds.wakes()

    began = time.perf_counter()
    sleepers = [gevent.spawn(night) for _ in range(number)]
    while beds.asleep < number:
        gevent.sleep(0)
    each = beds.memory_each()
    gevent.joinall(sleepers)
    return [each, time.perf_counter() - began], beds.woken


def sleepers_asyncio(number, nap):
    async def night(beds):
        beds.falls_asleep()
        await asyncio.sleep(nap / 1000)
        beds.wakes()

    async def nights():
        beds = Dormitory()
        began = time.perf_counter()
        async with asyncio.TaskGroup() as sleepers:
            for _ in range(number):
                sleepers.create_task(night(beds))
            while beds.asleep < number:
                await asyncio.sleep(0)
            each = beds.memory_each()
        return [each, time.perf_counter() - began], beds.woken

    return asyncio.run(nights())


def listen():
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print(listener.getsockname()[1], flush=True)
    return listener


def serve_gevent():
    import gevent.socket
    from gevent.server import StreamServer

    def echo(client, _address):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client:
            while data := client.recv(BUFFER):
                client.sendall(data)

    listener = gevent.socket.socket(fileno=listen().detach())
    StreamServer(listener, echo).serve_forever()


def serve_asyncio():
    async def echo(reader, writer):
        while data := await reader.read(BUFFER):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve():
        server = await asyncio.start_server(echo, sock=listen())
        await server.serve_forever()

    asyncio.run(serve())


def locks(number, times):
    lock, counter = mp.Lock(), mp.RawValue(ctypes.c_uint64)
    gate, shifts = mp.Barrier(number), mp.SimpleQueue()
    work = (lock, counter, gate, shifts, times)
    workers = [mp.Process(target=count_up, args=work) for _ in range(number)]
    for worker in workers:
        worker.start()
    began, ended = zip(*(shifts.get() for _ in workers))
    for worker in workers:
        worker.join()
    return [(max(ended) - min(began)) / times], counter.value


def count_up(lock, counter, gate, shifts, times):
    gate.wait()
    began = time.monotonic()
    more = True
    while more:
        with lock:
            more = counter.value < times
            counter.value += more
    shifts.put((began, time.monotonic()))


SERVERS = {"serve_gevent": serve_gevent, "serve_asyncio": serve_asyncio}
TASKS = {
    "squares": squares,
    "primes": primes,
    "items": items,
    "sleepers_gevent": sleepers_gevent,
    "sleepers_asyncio": sleepers_asyncio,
    "locks": locks,
}


def end_with_parent():
    """From now on this process is killed when its parent ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main():
    task, patience, *sizes = sys.argv[1:]
    signal.alarm(int(patience))
    end_with_parent()
    os.register_at_fork(after_in_child=end_with_parent)
    mp.set_start_method("fork")
    if task in SERVERS:
        SERVERS[task]()
        return
    values, work = TASKS[task](*map(int, sizes))
    print(json.dumps({"values": values, "work": work}))


if __name__ == "__main__":
    main()
