"""Review: the questions at the end. The same as src/main.rs, in Python.

There is nothing to measure here, so it prints no figures.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
import textwrap
import threading
from multiprocessing import get_context, sharedctypes
from pathlib import Path
from socket import socketpair

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

HERE = Path(__file__).parent
LETTERS = "abcdef"

# Children as copies, which need not be told what they work on.
fork = get_context("fork")


class Malformed(ValueError):
    """What is wrong with a file of questions."""


def read(file):
    """The questions of a file, each with one right choice."""
    try:
        questions = json.loads(file.read_text(encoding="utf-8"))["questions"]
        if not questions:
            raise Malformed("there is no question in it")
        for number, question in enumerate(questions, 1):
            check(question, f"question {number}")
        return questions
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        sys.exit(f"peer.py: cannot take questions from {file}: {why}; mend it")
    except (KeyError, TypeError, RecursionError):
        why = "there is no list `questions` in it"
        sys.exit(f"peer.py: cannot take questions from {file}: {why}; mend it")


def check(question, name):
    try:
        right = [choice.get("right", False) for choice in question["choices"]]
        texts = [question["question"]]
        texts += [choice[key] for choice in question["choices"] for key in ("text", "because")]
        texts += [proof[key] for proof in question["proofs"] for key in ("lesson", "step", "claim")]
    except KeyError as error:
        raise Malformed(f"{name} has no {error}") from error
    except (TypeError, AttributeError) as error:
        raise Malformed(f"{name} is not in the form of questions.json") from error
    if right.count(True) != 1:
        raise Malformed(f"{name} has {right.count(True)} right choices; it needs one")
    if not 2 <= len(right) <= len(LETTERS):
        raise Malformed(f"{name} has {len(right)} choices; give it 2 to {len(LETTERS)}")
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise Malformed(f"{name} has an empty text")


def tell(label, text):
    width = min(os.get_terminal_size().columns, 80) if sys.stdout.isatty() else 80
    print(textwrap.fill(label + text, width, subsequent_indent=" " * len(label)))


def tell_question(number, question):
    print()
    tell(f"{number}. ", question["question"])
    for letter, choice in zip(LETTERS, question["choices"]):
        tell(f"  {letter}  ", choice["text"])


def tell_answer(question):
    for letter, choice in zip(LETTERS, question["choices"]):
        verdict = "Right" if choice.get("right") else "No"
        tell(f"  {letter}  ", f"{verdict}: {choice['because']}")
    for proof in question["proofs"]:
        tell("  proven by ", f"lesson {proof['lesson']}, {proof['step']}: {proof['claim']}")


def ask_all(questions):
    """Asks until there is no more, or nobody wants any more."""
    right = answered = 0
    try:
        for number, question in questions:
            tell_question(number, question)
            letters = LETTERS[:len(question["choices"])]
            answer = input(f"{letters[0]}-{letters[-1]}, Enter to see, q to end: ").strip().lower()
            if answer == "q":
                break
            if answer in letters and len(answer) == 1:
                answered += 1
                right += question["choices"][letters.index(answer)].get("right", False)
            tell_answer(question)
    except EOFError:
        print()
    except KeyboardInterrupt:
        print()
        return 130
    finally:
        print(f"\n{right} of {answered} answers right")
    return 0


def whose_memory(_):
    """Questions 1, 2 and 4."""
    number = [0]

    def add():
        number[0] += 1

    class Adder(threading.Thread):
        def run(self):
            add()

    for other in (fork.Process(target=add), threading.Thread(target=add), Adder()):
        other.start()
        other.join()
    print(f"a child and two threads add 1: main has {number[0]}")


def five_ways(_):
    """Question 3."""
    ear, mouth = os.pipe()
    near, far = socketpair()
    memory = sharedctypes.RawValue("B", 0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "number")

        def send():
            memory.value = 42
            file.write_bytes(bytes([42]))
            os.write(mouth, bytes([42]))
            far.send(bytes([42]))
            signal.pause()

        child = fork.Process(target=send)
        child.start()
        os.close(mouth)
        far.close()
        heard = [os.read(ear, 1)[0], near.recv(1)[0], memory.value, file.read_bytes()[0]]
        child.terminate()
        child.join()
    print(f"heard by pipe, socket, memory, file: {heard}; ended by signal {-child.exitcode}")


def lost_update(_):
    """Question 6."""
    number, locked = [0], [0]
    both_have_read, lock = threading.Barrier(2), threading.Lock()

    def add():
        seen = number[0]
        both_have_read.wait()
        number[0] = seen + 1
        with lock:
            locked[0] += 1

    run_two(add)
    print(f"two add 1: {number[0]} without a lock, {locked[0]} with it")


def circle(_):
    """Question 7."""
    locks, both, got = [threading.Lock(), threading.Lock()], threading.Barrier(2), []

    def take(first, second):
        with first:
            both.wait()
            got.append(second.acquire(blocking=False))
            both.wait()

    run_two(take, locks, locks[::-1])
    print(f"each holds one and tries the other: {got}")


def on_one_thread(_):
    """Question 8."""
    threads, asked = set(), []

    async def ask(answer):
        asked.append(True)
        if len(asked) == 2:
            answer.set()
        await answer.wait()
        threads.add(threading.get_ident())

    async def both():
        answer = asyncio.Event()
        await asyncio.gather(ask(answer), ask(answer))

    asyncio.run(both())
    print(f"two coroutines wait for each other, on threads: {len(threads)}")


def what_join_does(pause):
    """Question 9."""
    order, goes_on = [], threading.Event()

    def work():
        goes_on.wait()
        pause(0.5)
        order.append("the thread ends")

    thread = threading.Thread(target=work)
    thread.start()
    order.append("main goes on")
    goes_on.set()
    thread.join()
    print(", ".join([*order, "join returns"]))


def run_two(target, *arguments):
    arguments = arguments or ((), ())
    threads = [threading.Thread(target=target, args=each) for each in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main():
    known = parser(__doc__.splitlines()[0])
    known.add_argument("--answers", action="store_true", help="ask nobody")
    known.add_argument("--question", type=int, metavar="N", help="only this one")
    known.add_argument("--questions", type=Path, default=HERE / "questions.json", metavar="FILE")
    options = known.parse_args()
    questions = list(enumerate(read(options.questions), 1))
    if options.question is not None:
        if not 1 <= options.question <= len(questions):
            known.error(f"--question {options.question}: give 1 to {len(questions)}")
        questions = [questions[options.question - 1]]
    if sys.stdin.isatty() and sys.stdout.isatty() and not options.answers:
        return ask_all(questions)
    for number, question in questions:
        tell_question(number, question)
        tell_answer(question)
    print(flush=True)  # or the children would have it, too
    wait = threading.Event().wait
    for small in (whose_memory, five_ways, lost_update, circle, on_one_thread, what_join_does):
        small(lambda natural: wait(natural / options.speed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
