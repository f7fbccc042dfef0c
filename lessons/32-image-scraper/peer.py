"""Image scraper: a whole program. The same as src/main.rs, in Python.

Processes of multiprocessing, each with coroutines of asyncio.
"""

import asyncio
import hashlib
import multiprocessing
import os
import random
import shutil
import signal
import string
import struct
import sys
import tempfile
import time
import unicodedata
import zlib
from collections import Counter
from html.parser import HTMLParser
from http.client import responses
from multiprocessing.connection import wait
from pathlib import Path
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit
from urllib.robotparser import RobotFileParser

sys.path.append(str(Path(__file__).resolve().parents[1]))
from local_site import Site
from peer_options import parser

NAME = "image-scraper"
PROCESSES, COROUTINES = 2, 4
ATTEMPTS = 3
MOST_BYTES = 1 << 20
REDIRECTS = 5
INDEX, ASIDE = "pictures.tsv", ".unfinished"
WRONG = [("404", "404"), ("429x1", "429"), ("500x1", "500"), ("cut", "cut"),
         ("garbled", "garbled"), ("html", "html"), ("huge", "huge"),
         ("redirect", "redirect"), ("silent", "silent")]


class Refusal(Exception):
    """Why something is not to be had, and whether it helps to ask again."""

    def __init__(self, why, again=False, told=0):
        super().__init__(why)
        self.again, self.told = again, told


def path_of(url):
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


async def ask_once(url):
    """Status, headers and body; asyncio has no HTTP of its own."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    try:
        writer.write(f"GET {path_of(url)} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split()[1])
        headers = {key.lower(): value.strip()
                   for key, _, value in (line.partition(":") for line in head[1:])}
        body = bytearray()
        while chunk := await reader.read(1 << 16):
            body += chunk
            if len(body) > MOST_BYTES:
                raise Refusal(f"more than {MOST_BYTES} bytes")
        if len(body) < int(headers.get("content-length", 0)):
            raise Refusal("the connection ended early", again=True)
        return status, headers, bytes(body)
    finally:
        writer.close()


async def follow(url, may_go):
    for _ in range(REDIRECTS + 1):
        status, headers, body = await ask_once(url)
        if status == 200:
            return body
        if status not in (301, 302, 303, 307, 308):
            again = status in (429, 500, 502, 503, 504)
            told = int(headers.get("retry-after", 0))
            raise Refusal(f"{status} {responses[status]}", again, told)
        url = urljoin(url, headers["location"])
        if not may_go(url):
            raise Refusal(f"sent on to {url}, where it may not go")
    raise Refusal("too many redirects")


async def get(url, settings, may_go):
    """Asks again where that may help: after as long as the site says, or twice
    as long each time."""
    pause = settings.back_off
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with asyncio.timeout(settings.limit):
                return await follow(url, may_go)
        except TimeoutError:
            refusal = Refusal("no answer in time", again=True)
        except (ConnectionError, asyncio.IncompleteReadError):
            refusal = Refusal("the connection ended early", again=True)
        except Refusal as why:
            refusal = why
        if not refusal.again or attempt == ATTEMPTS:
            raise refusal
        await asyncio.sleep(max(refusal.told, pause * random.uniform(0.5, 1.5)))
        pause *= 2


class Links(HTMLParser):
    """What a page leads to; a parser of tags takes broken HTML, too."""

    def __init__(self, page):
        super().__init__()
        self.page, self.pages, self.pictures = page, [], []

    def handle_starttag(self, tag, attributes):
        kind = {"a": ("href", self.pages), "img": ("src", self.pictures)}.get(tag)
        if kind is None:
            return
        # The first one counts, if there are two.
        address = next((value for key, value in attributes if key == kind[0]), None)
        if not address:
            return
        try:
            address = quote(address.strip(), safe=string.punctuation)
            url = urldefrag(urljoin(self.page, address)).url
            parts = urlsplit(url)
        except ValueError:
            return
        if parts.scheme == "http":
            kind[1].append(url)


class Settings:
    def __init__(self, speed):
        self.limit, self.back_off = 20.0, 0.5 / speed


class Gallery:
    """Whose pictures they are, and where a robot may go."""

    def __init__(self, start, settings):
        self.start, self.settings = start, settings
        self.robots = RobotFileParser()

    def may_go(self, url):
        same = urlsplit(url)[:2] == urlsplit(self.start)[:2]
        return same and self.robots.can_fetch(NAME, url)

    async def walk(self):
        """The addresses of all pictures, in the order of the gallery."""
        text = await get(urljoin(self.start, "/robots.txt"), self.settings, lambda _: True)
        self.robots.parse(text.decode().splitlines())
        at_once = asyncio.Semaphore(PROCESSES * COROUTINES)

        async def read(page):
            async with at_once:
                links = Links(page)
                links.feed((await get(page, self.settings, self.may_go)).decode())
                links.close()
                return links

        seen, pictures, wave = {self.start}, {}, [self.start]
        folder = self.start.rpartition("/")[0] + "/"
        while wave:
            pages, wave = await asyncio.gather(*map(read, wave)), []
            for links in pages:
                pictures.update((url, None) for url in links.pictures if self.may_go(url))
                for url in links.pages:
                    if url.startswith(folder) and url not in seen and self.may_go(url):
                        seen.add(url)
                        wave.append(url)
        return list(pictures)


def file_name(url):
    """Depends on the address alone, and is no path, whatever that says."""
    last = unquote(urlsplit(url).path.rpartition("/")[2], errors="replace")
    stem, dot, ending = last.rpartition(".")
    if not (dot and ending.isascii() and ending.isalnum() and len(ending) <= 5):
        stem, ending = last, ""
    kept = (c if unicodedata.category(c)[0] in "LN" or c == "-" else "_" for c in stem)
    stem = "".join(kept).encode()[:100].decode(errors="ignore").strip("_-") or "picture"
    digits = hashlib.blake2s(path_of(url).encode()).hexdigest()[:8]
    return f"{stem}-{digits}" + (f".{ending.lower()}" if ending else "")


def check(data):
    """Whether it is a whole PNG: its signature, its chunks with their sums, and
    as many bytes as a picture of that size has."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise Refusal("no picture")
    at, packed, size, kind = 8, b"", 0, b""
    while kind != b"IEND":
        if len(data) < at + 12:
            raise Refusal("a damaged picture")
        length, kind = struct.unpack_from(">I4s", data, at)
        body, at = data[at + 8:at + 8 + length], at + 12 + length
        if data[at - 4:at] != struct.pack(">I", zlib.crc32(kind + body)):
            raise Refusal("a damaged picture")
        if kind == b"IHDR":
            width, height = struct.unpack_from(">II", body)
            size = height * (1 + 3 * width)
        elif kind == b"IDAT":
            packed += body
    if len(zlib.decompressobj().decompress(packed, MOST_BYTES)) != size:
        raise Refusal("a damaged picture")


class Store:
    """What is there under its name is whole."""

    def __init__(self, folder):
        self.folder, self.aside = folder, folder / ASIDE
        shutil.rmtree(self.aside, ignore_errors=True)
        self.aside.mkdir(parents=True)
        try:
            lines = (folder / INDEX).read_text().splitlines()
            self.known = dict(line.split("\t")[:2] for line in lines)
        except FileNotFoundError:
            self.known = {}

    def file(self, url):
        """Its own, or that of a picture that is the same."""
        for name in file_name(url), self.known.get(path_of(url)):
            if name and (self.folder / name).is_file():
                return name
        return None

    def put(self, name, data):
        aside = self.aside / f"{name}.{os.getpid()}"
        aside.write_bytes(data)
        aside.replace(self.folder / name)

    def finish(self, urls):
        first, lines, twice = {}, [], set()
        for url in urls:
            if name := self.file(url):
                data = (self.folder / name).read_bytes()
                digest = hashlib.blake2s(data).hexdigest()
                kept = first.setdefault(digest, name)
                lines.append(f"{path_of(url)}\t{kept}\t{len(data)}\t{digest}\n")
                if kept != name:
                    twice.add(name)
        self.put(INDEX, "".join(lines).encode())
        for name in twice:
            (self.folder / name).unlink()
        shutil.rmtree(self.aside)


async def keep(gallery, store, url):
    try:
        data = await get(url, gallery.settings, gallery.may_go)
        check(data)
        store.put(file_name(url), data)
        return None
    except (Refusal, OSError, zlib.error) as why:
        return str(why)


def work(gallery, store, urls, numbers, fates, coroutines):
    """One process: its coroutines share what is left of the list."""
    async def coroutine():
        while (number := next_of(numbers)) < len(urls):
            fates.send((number, await keep(gallery, store, urls[number]), os.getpid()))

    async def all_of_them():
        await asyncio.gather(*(coroutine() for _ in range(coroutines)))

    asyncio.run(all_of_them())


def next_of(numbers):
    """A counter: multiprocessing.Queue does not tell that it is empty for good."""
    with numbers.get_lock():
        numbers.value += 1
        return numbers.value - 1


def fetch(gallery, store, urls, processes, coroutines, kill_at=None):
    """What became of each; of those that a killed process had, nothing."""
    context = multiprocessing.get_context("fork")
    numbers, crew, pipes, gathered = context.Value("q", 0), [], [], {}
    for _ in range(processes):
        pipe, fates = context.Pipe(duplex=False)
        args = (gallery, store, urls, numbers, fates, coroutines)
        crew.append(context.Process(target=work, args=args, daemon=True))
        crew[-1].start()
        fates.close()  # so that the end of the process is the end of the pipe
        pipes.append(pipe)
    while pipes:
        for pipe in wait(pipes):
            try:
                number, end, pid = pipe.recv()
                gathered[number] = (end, pid)
            except (EOFError, ConnectionResetError):
                pipes.remove(pipe)
        if kill_at and len(gathered) >= kill_at:
            for process in crew:
                process.kill()
    for process in crew:
        process.join()
    return gathered


def scrape(start, settings, folder, kill_at=None):
    gallery, store = Gallery(start, settings), Store(folder)
    urls = asyncio.run(gallery.walk())
    missing = [url for url in urls if store.file(url) is None]
    fates = fetch(gallery, store, missing, PROCESSES, COROUTINES, kill_at)
    store.finish(urls)
    ends = Counter(end or "fetched" for end, _ in fates.values())
    pids = {pid for _, pid in fates.values()}
    print(f"{len(urls)} pictures, {len(missing)} missing:", dict(ends), "by", len(pids))


def all_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def price(latency, settings, folder):
    with Site(latency) as site:
        gallery = Gallery(site.url + "/gallery/", settings)
        urls = asyncio.run(gallery.walk())[:24]
        for processes, coroutines in (1, 1), (1, 8), (8, 1), (2, 4):
            label = f"{processes} x {coroutines}"
            store = Store(folder / label)
            start = time.perf_counter()
            fates = fetch(gallery, store, urls, processes, coroutines)
            seconds = time.perf_counter() - start
            fetched = sum(end is None for end, _ in fates.values())
            print(f"figure\t{label}\t{seconds:.9f}\t{fetched}")


def main():
    known = parser(__doc__)
    known.add_argument("--url", help="a gallery, such as http://example.com/gallery/")
    known.add_argument("--to", type=Path, help="where its pictures are kept")
    options = known.parse_args()
    if bool(options.url) != bool(options.to):
        known.error("give both --url and --to, or neither")
    settings, latency = Settings(options.speed), 0.08 / options.speed
    if options.url and options.to:
        scrape(options.url, settings, options.to)
        return
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        with Site(latency) as site:
            for kill_at in None, None:
                scrape(site.url + "/gallery/", settings, place / "whole", kill_at)
            for kill_at in 20, None:
                scrape(site.url + "/gallery/", settings, place / "killed", kill_at)
            same = all_of(place / "whole") == all_of(place / "killed")
            print("as without interruption:", same)
        faults = [f"--fault={fault}@/odd/image/{name}.png" for fault, name in WRONG]
        with Site(latency, "--retry-after", "1", *faults) as site:
            odd = Settings(options.speed)
            odd.limit, odd.back_off = max(1 / options.speed, 0.4), 0.2 / options.speed
            scrape(site.url + "/odd/", odd, place / "odd")
            print(*sorted(all_of(place / "odd")))
        price(latency, settings, place)


if __name__ == "__main__":
    # Ctrl-C ends it; there is nothing to save.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    main()
