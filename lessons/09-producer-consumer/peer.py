"""Producer and consumer: made and used at different speeds. The same as src/main.rs, in Python."""

import multiprocessing
import queue
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

ITEMS = 10
ROOM = 3
# Nothing else tells a consumer that nothing more will come.
END = None


def produce(items, seconds, buffer, blocked):
    for item in items:
        time.sleep(seconds)
        try:
            buffer.put_nowait(item)
        except queue.Full:
            blocked.set()
            buffer.put(item)


def consume(seconds, buffer, used):
    while (item := buffer.get()) is not END:
        time.sleep(seconds)
        used.put(item)


def start(target, *args):
    process = multiprocessing.Process(target=target, args=args)
    process.start()
    return process


def one_of_each(speed):
    buffer, used = multiprocessing.Queue(16), multiprocessing.Queue()
    making = start(produce, range(1, ITEMS + 1), 0.2 / speed, buffer, multiprocessing.Event())
    using = start(consume, 0.3 / speed, buffer, used)
    making.join()
    buffer.put(END)
    print("used:", [used.get() for _ in range(ITEMS)])
    using.join()


def small_buffer(speed):
    buffer, used = multiprocessing.Queue(ROOM), multiprocessing.Queue()
    blocked = multiprocessing.Event()
    making = start(produce, range(1, ITEMS + 1), 0.1 / speed, buffer, blocked)
    blocked.wait()
    print("the producer is held back; in the buffer:", buffer.qsize())
    using = start(consume, 0.4 / speed, buffer, used)
    making.join()
    buffer.put(END)
    print("used:", [used.get() for _ in range(ITEMS)])
    using.join()


def two_and_three(speed):
    buffer, used = multiprocessing.Queue(ROOM), multiprocessing.Queue()
    blocked = multiprocessing.Event()
    making = [
        start(produce, items, 0.2 / speed, buffer, blocked)
        for items in (range(1, 7), range(7, 13))
    ]
    using = [start(consume, 0.5 / speed, buffer, used) for _ in range(3)]
    for producer in making:
        producer.join()
    for _ in using:
        buffer.put(END)
    print("used:", sorted(used.get() for _ in range(12)))
    for consumer in using:
        consumer.join()


def take_and_stop(buffer, held, in_hand):
    held.value = buffer.get()
    in_hand.set()
    multiprocessing.Event().wait()


def wait_and_consume(in_hand, *args):
    in_hand.wait()
    consume(*args)


def with_an_item(speed):
    buffer, used = multiprocessing.Queue(16), multiprocessing.Queue()
    held, in_hand = multiprocessing.Value("i", 0), multiprocessing.Event()
    victim = start(take_and_stop, buffer, held, in_hand)
    others = [start(wait_and_consume, in_hand, 0.4 / speed, buffer, used) for _ in range(2)]
    for item in range(1, 7):
        buffer.put(item)
    in_hand.wait()
    time.sleep(0.6 / speed)
    # Had it been inside get, it would have died with the lock of the queue,
    # and nobody could get anything any more.
    victim.kill()
    victim.join()
    print("the victim ended with", victim.exitcode)
    for item in range(7, ITEMS + 1):
        buffer.put(item)
    for _ in others:
        buffer.put(END)
    rest = {used.get() for _ in range(ITEMS - 1)}
    print("lost:", set(range(1, ITEMS + 1)) - rest, "held by the victim:", held.value)
    for consumer in others:
        consumer.join()


def get_all(buffer, total):
    total.value = sum(iter(buffer.get, END))


def price():
    for room in 1, 1000:
        buffer, total = multiprocessing.Queue(room), multiprocessing.Value("q", 0)
        using = start(get_all, buffer, total)
        begin = time.perf_counter()
        for item in range(1, 2001):
            buffer.put(item)
        buffer.put(END)
        using.join()
        seconds = (time.perf_counter() - begin) / 2000
        print(f"figure\troom for {room}\t{seconds:.12f}\t{total.value}")


def main():
    speed = parser(__doc__).parse_args().speed
    one_of_each(speed)
    small_buffer(speed)
    two_and_three(speed)
    with_an_item(speed)
    price()


if __name__ == "__main__":
    main()
