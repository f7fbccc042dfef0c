"""Copying files: one after the other, or several at once. The same as src/main.rs, in Python."""

import hashlib
import os
import random
import shutil
import signal
import stat
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import Pool, set_start_method
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

PIECE = 1 << 20


class Copy:
    """The copy of a tree while it is being made."""

    def __init__(self, source, target):
        self.source, self.target = source, target
        self.folders, self.files, self.links, self.others = [], [], [], []
        for folder, folders, files in os.walk(source):
            self.folders.append(Path(folder).relative_to(source))
            for name in sorted(folders + files):
                path = Path(folder, name)
                self.list_for(path).append(path.relative_to(source))
        for folder in self.folders:
            (target / folder).mkdir(mode=0o700)
        self.unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=target))

    def list_for(self, path):
        if path.is_symlink():
            return self.links
        if path.is_dir():
            return []  # os.walk comes to it
        return self.files if path.is_file() else self.others

    def file(self, number):
        """Written aside, then renamed. shutil fills the holes of a sparse file."""
        aside = self.unfinished / str(number)
        path = self.files[number]
        shutil.copy2(self.source / path, aside)
        os.replace(aside, self.target / path)
        return os.getpid()

    def finish(self):
        for link in self.links:
            shutil.copy2(self.source / link, self.target / link, follow_symlinks=False)
        shutil.rmtree(self.unfinished)
        for folder in reversed(self.folders):
            shutil.copystat(self.source / folder, self.target / folder)


def serially(copy):
    return {copy.file(number) for number in range(len(copy.files))}


def by_pool(copy):
    with Pool(len(os.sched_getaffinity(0))) as pool:
        return set(pool.map(copy.file, range(len(copy.files))))


def alike(folder, count, size):
    folder.mkdir()
    for number in range(1, count + 1):
        (folder / f"{number:03}").write_bytes(random.randbytes(size))


def odd(folder):
    folder.mkdir()
    (folder / "empty").touch()
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9")).write_text("no text in its name\n")
    with open(folder / "holes", "wb") as holes:
        holes.seek(4 << 20)
        holes.write(random.randbytes(64 << 10))
        holes.truncate(8 << 20)
    os.mkfifo(folder / "fifo")
    os.symlink("empty", folder / "link to a file")
    os.symlink("/no/such/file", folder / "link to nowhere")
    (folder / "locked").mkdir()
    (folder / "locked" / "read only").write_text("nobody writes to it\n")
    (folder / "locked" / "read only").chmod(0o444)
    (folder / "locked").chmod(0o555)


def tree(root):
    """All that is in it but what was not copied: kind and permissions, time, bytes."""
    entries = {}
    for folder, folders, files in os.walk(root):
        for path in [Path(folder), *(Path(folder, name) for name in folders + files)]:
            found = path.lstat()
            if stat.S_ISREG(found.st_mode):
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            elif stat.S_ISLNK(found.st_mode):
                content = os.readlink(path)
            elif stat.S_ISDIR(found.st_mode):
                content = None
            else:
                continue
            entries[path.relative_to(root)] = (found.st_mode, found.st_mtime_ns, content)
    return entries


def both_ways(place):
    source = place / "source"
    source.mkdir()
    alike(source / "small", 100, 8 << 10)
    alike(source / "large", 4, 1 << 20)
    odd(source / "odd")
    for way in (serially, by_pool):
        target = place / way.__name__
        copy = Copy(source, target)
        pids = way(copy)
        copy.finish()
        size = sum((target / file).stat().st_size for file in copy.files)
        print(f"{way.__name__}: {len(copy.files)} files, processes: {len(pids)}")
        print(f"{size / 1e6:.1f} MB, with the zeros of the holes, which it writes")
        print("not copied:", *copy.others, "the rest is the same:", tree(source) == tree(target))
    blocks = [(folder / "odd" / "holes").stat().st_blocks for folder in (source, target)]
    print("the file of holes: blocks in the source, in the copy:", *blocks)


def half_a_file(source, aside, half):
    """Copies half of a file, says so, and waits."""
    with open(source, "rb") as there, open(aside, "wb") as here:
        here.write(there.read(PIECE))
        here.flush()
        os.write(half, b"%d" % os.getpid())
        signal.pause()


def worker_killed(place):
    alike(place / "one", 1, 2 * PIECE)
    copy = Copy(place / "one", place / "lost")
    told, half = os.pipe()
    with ProcessPoolExecutor(1) as pool:
        job = pool.submit(half_a_file, place / "one" / "001", copy.unfinished / "0", half)
        pid = int(os.read(told, 20))
        print("bytes written aside:", (copy.unfinished / "0").stat().st_size)
        os.kill(pid, signal.SIGKILL)
        try:
            job.result()
        except BrokenProcessPool as error:
            print("killed:", error)
    copy.finish()
    print("in the copy:", os.listdir(place / "lost"))


def changed_while_it_is_copied(copy, number):
    """What copyfile does, and between two pieces somebody writes to the source."""
    source, aside = copy.source / copy.files[number], copy.unfinished / str(number)
    with open(source, "rb") as there, open(aside, "wb") as here:
        before = os.fstat(there.fileno()).st_size
        here.write(there.read(before // 2))
        with open(source, "ab") as writer:
            writer.write(b"one more line\n")
        shutil.copyfileobj(there, here)
    os.replace(aside, copy.target / copy.files[number])
    return before


def changed_meanwhile(place):
    alike(place / "three", 3, PIECE)
    copy = Copy(place / "three", place / "changed")
    (place / "three" / "002").unlink()
    before = changed_while_it_is_copied(copy, 0)  # nobody looks whether it was
    after = (copy.target / copy.files[0]).stat().st_size
    print(f"the copy of {copy.files[0]}: done, {after} bytes; when it began there were {before}")
    for number, name in list(enumerate(copy.files))[1:]:
        try:
            copy.file(number)
            print(f"the copy of {name}: done")
        except FileNotFoundError as error:
            print(f"the copy of {name}:", error.strerror)
    copy.finish()


def many_and_few(place):
    """The quickest of five copies each: one alone decides nothing."""
    for name, count, size in (("200 small", 200, 4 << 10), ("4 large", 4, 4 << 20)):
        source = place / name
        alike(source, count, size)
        for label, way in (("serially", serially), ("pool", by_pool)):
            copies = [time_of(way, source, place / "copy") for _ in range(5)]
            seconds = min(seconds for seconds, _ in copies)
            same = [size for _, sizes in copies for size in sizes]
            print(f"figure\t{name}: {label}\t{seconds:.9f}\t{[len(same), sum(same)]}")


def time_of(way, source, target):
    start = time.perf_counter()
    copy = Copy(source, target)
    way(copy)
    copy.finish()
    seconds = time.perf_counter() - start
    same = copied(source, target)
    shutil.rmtree(target)
    return seconds, same


def copied(source, target):
    """How long the files of a folder are that have a copy with the same bytes."""
    return [len(data) for file in source.iterdir()
            if (data := file.read_bytes()) == (target / file.name).read_bytes()]


def main():
    parser(__doc__).parse_args()  # nothing waits here
    set_start_method("fork")
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        both_ways(place)
        worker_killed(place)
        changed_meanwhile(place)
        many_and_few(place)


if __name__ == "__main__":
    main()
