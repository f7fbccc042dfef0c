"""Joinable queue: a work list that knows when it is done. The same as src/main.rs, in Python."""

import multiprocessing
import os
import queue
import signal
import sys
import threading
import time
from html.parser import HTMLParser
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urldefrag, urljoin, urlsplit
from urllib.request import ProxyHandler, build_opener

sys.path.append(str(Path(__file__).resolve().parents[1]))
from local_site import Site
from peer_options import parser

PAGES = 12
LARGEST = 64 << 10
# Through no proxy.
OPENER = build_opener(ProxyHandler({}))
END = None
WRONG = {2: "404", 4: "cut", 5: "garbled", 7: "silent", 8: "closed", 10: "huge", 11: "redirect"}


class Page(HTMLParser):
    """Its title and its links."""

    def __init__(self, html):
        super().__init__()
        self.title, self.links, self.inside, self.open = "", [], False, 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.inside = tag == "title"
        self.open += tag == "html"
        if tag == "a" and (href := dict(attrs).get("href")):
            self.links.append(href)

    def handle_endtag(self, tag):
        self.inside = False
        self.open -= tag == "html"

    def handle_data(self, data):
        if self.inside:
            self.title += data


def read(url, patience=5.0):
    with OPENER.open(url, timeout=patience) as answer:
        body = answer.read(LARGEST + 1)
        if len(body) > LARGEST:
            raise ValueError(f"more than {LARGEST} bytes")
        length = int(answer.headers.get("Content-Length", len(body)))
        if len(body) < length:
            raise ValueError("the connection ended early")
        return body


def fetch(url, patience=5.0):
    """Its title and its length, or why there are none."""
    try:
        body = read(url, patience)
        page = Page(body.decode(errors="replace"))
        if page.open > 0:
            raise ValueError("half a page: <html> has no end")
        return page.title, len(body)
    except HTTPError as error:
        why = "too many redirects" if error.code == 302 else f"{error.code} {error.reason}"
        return f"({why})", None
    except (URLError, OSError, ValueError) as error:
        return f"({error})", None


def links(url):
    found = {}
    for href in Page(read(url).decode(errors="replace")).links:
        link = urldefrag(urljoin(url, href)).url
        if urlsplit(link)[:2] == urlsplit(url)[:2] and link != url:
            found[link] = True
    return list(found)[:PAGES]


def work(pages, results, patience=5.0, all_here=None):
    # Ctrl-C is for the parent.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if all_here:
        all_here.wait()
    while True:
        url = pages.get()
        results.put((url, fetch(url, patience)))
        pages.task_done()


def start(workers, *args):
    """Daemons: nobody tells them to go home, they end with their parent."""
    crew = [multiprocessing.Process(target=work, args=args, daemon=True) for _ in range(workers)]
    for worker in crew:
        worker.start()
    return crew


def end(crew):
    for worker in crew:
        worker.terminate()
        worker.join()


def fetch_all(urls, workers, patience=5.0):
    pages, results = multiprocessing.JoinableQueue(), multiprocessing.Queue()
    all_here = multiprocessing.Barrier(workers + 1)
    crew = start(workers, pages, results, patience, all_here)
    all_here.wait()
    begin = time.perf_counter()
    for url in urls:
        pages.put(url)
    pages.join()
    seconds = time.perf_counter() - begin
    # What was put may still be on its way: a thread of the worker takes it to
    # the pipe. So get waits.
    found = dict(results.get() for _ in urls)
    end(crew)
    return found, seconds


def show(urls, found):
    for url in urls:
        if url in found:
            title, length = found[url]
            print(f"  {urlsplit(url).path:10} {length or '':>6}  {title}")


def until_all_is_done(urls):
    found, _ = fetch_all(urls, workers())
    show(urls, found)
    print("pages done when join returns:", len(found))


def workers():
    return min(max(2, os.cpu_count() or 1), PAGES)


def how_many_workers(urls):
    for way, number in ("one by one", 1), ("together", workers()), ("all at once", len(urls)):
        found, seconds = fetch_all(urls, number)
        print(f"figure\t{way}\t{seconds:.9f}\t{in_sum(found)}")


def in_sum(found):
    """What came of all visits."""
    pages = [(title, length) for title, length in found.values() if length is not None]
    letters = sum(len(title) for title, _ in pages)
    return f"{len(pages)} pages, {sum(length for _, length in pages)} bytes, titles of {letters} letters"


def bad_pages(urls, speed):
    urls = [f"{url}?fault={WRONG[n]}" if n in WRONG else url for n, url in enumerate(urls, 1)]
    found, _ = fetch_all(urls, workers(), patience=max(1.5 / speed, 0.5))
    show(urls, found)
    print("failed:", sum(length is None for _, length in found.values()), "of", len(found))


def hold(pages, taken, go_on):
    pages.get()
    taken.set()
    go_on.wait()
    try:
        pages.task_done()
    except ValueError as error:
        print("the other worker's task_done:", error, flush=True)


def say_it_twice(pages):
    pages.get()
    pages.task_done()
    pages.task_done()


def once_too_often():
    pages = multiprocessing.JoinableQueue()
    taken, go_on = multiprocessing.Event(), multiprocessing.Event()
    slow = multiprocessing.Process(target=hold, args=(pages, taken, go_on), daemon=True)
    hasty = multiprocessing.Process(target=say_it_twice, args=(pages,), daemon=True)
    pages.put(1)
    pages.put(2)
    slow.start()
    taken.wait()
    hasty.start()
    pages.join()
    print("join returns, and a page is not done", flush=True)
    go_on.set()
    slow.join()
    hasty.join()


def with_a_page(urls, speed):
    pages, results = multiprocessing.JoinableQueue(), multiprocessing.Queue()
    taken, never = multiprocessing.Event(), multiprocessing.Event()
    victim = multiprocessing.Process(target=hold, args=(pages, taken, never), daemon=True)
    victim.start()
    for url in urls:
        pages.put(url)
    taken.wait()
    crew = start(workers(), pages, results)
    victim.kill()
    victim.join()
    # This join takes no time limit; one of a thread does.
    joining = threading.Thread(target=pages.join, daemon=True)
    joining.start()
    found = dict(results.get() for _ in urls[1:])
    joining.join(0.3 / speed)
    print("join has returned:", not joining.is_alive())
    print("lost:", [url for url in urls if url not in found])
    pages.task_done()
    joining.join()
    print("and returns when task_done was said for it")
    end(crew)


def program(come, never, some_done):
    pages, results = multiprocessing.JoinableQueue(), multiprocessing.Queue()
    crew = start(workers(), pages, results)
    try:
        for url in come:
            pages.put(url)
        pages.join()
        for url in never:
            pages.put(url)
        some_done.set()
        pages.join()
    except KeyboardInterrupt:
        end(crew)
        found = {}
        try:
            while True:
                url, page = results.get(timeout=0.1)
                found[url] = page
        except queue.Empty:
            pass
        show(come, found)
        print("done so far:", len(found), "not done:", len(come + never) - len(found), flush=True)
        # What is left in the queue is not to hold this process up.
        pages.cancel_join_thread()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)


def interrupted(urls, speed):
    some_done = multiprocessing.Event()
    never = [f"{url}?fault=silent" for url in urls[4:]]
    running = multiprocessing.Process(target=program, args=(urls[:4], never, some_done))
    running.start()
    some_done.wait()
    time.sleep(1.0 / speed)
    os.kill(running.pid, signal.SIGINT)
    running.join()
    print("ended by", signal.Signals(-running.exitcode).name)


def add_up(items, total):
    so_far = 0
    while (item := items.get()) is not END:
        so_far += item
        items.task_done()
    total.value = so_far


def price():
    items, total = multiprocessing.JoinableQueue(), multiprocessing.Value("q", 0)
    worker = multiprocessing.Process(target=add_up, args=(items, total), daemon=True)
    worker.start()
    begin = time.perf_counter()
    for item in range(1, 20_001):
        items.put(item)
    items.join()
    seconds = (time.perf_counter() - begin) / 20_000
    items.put(END)  # the worker tells the sum of all that it took, and ends
    worker.join()
    print(f"figure\tput, get, task_done\t{seconds:.12f}\t{total.value}")


def main():
    known = parser(__doc__)
    known.add_argument("--url", help="fetch the pages that this one has links to")
    options = known.parse_args()
    multiprocessing.set_start_method("fork")
    speed = options.speed
    if options.url:
        urls = links(options.url)
        until_all_is_done(urls)
        how_many_workers(urls)
        return
    print("starts the local site; cargo builds it first if it must", flush=True)
    with Site(0.3 / speed) as site:
        urls = links(site.url + "/pages/")
        until_all_is_done(urls)
        how_many_workers(urls)
        bad_pages(urls, speed)
        once_too_often()
        with_a_page(urls, speed)
        interrupted(urls, speed)
    price()


if __name__ == "__main__":
    main()
