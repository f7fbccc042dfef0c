# The course. `just` lists its lessons; `just --list` lists these recipes.

# The first time cargo tells what it compiles; then it has nothing to tell.
quiet := if path_exists("target/debug/course") == "true" { "--quiet" } else { "" }
course := "cargo run " + quiet + " --package shared --features course --bin course --"

# Arguments keep their quotes.
set positional-arguments := true

# List the lessons with their titles and minutes
default:
    @{{ course }} list

# Run lesson N, by number or by name; ARGS go to it (try --help)
[no-exit-message]
lesson N="" *ARGS:
    @{{ course }} lesson "$@"

# Walk through lesson N step by step, for a class
[no-exit-message]
walk N="" *ARGS:
    @{{ course }} lesson "$@" --walk

# Run all lessons in order; ends in a table
[no-exit-message]
lessons *ARGS:
    @{{ course }} lessons "$@"

# Run the same exercise as lesson N in Python
[no-exit-message]
peer N="" *ARGS: python
    @{{ course }} peer "$@"

# Serve the local web site to a browser or curl, until Ctrl-C (try --help)
[no-exit-message]
site *ARGS:
    @cargo run {{ quiet }} --package shared --features site --bin site -- "$@"

# Run the tests, more at a time than there are cores: most of them wait
test: python
    RUST_TEST_THREADS=${RUST_TEST_THREADS:-4} cargo test --workspace --all-features

# Check form: format, lints, docs, numbers, headings, links, missing parts
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --all-features --no-deps --quiet
    {{ course }} check

# Measure: all, or one of record, switch, process, site (BENCH_ROUNDS=N for process)
bench WHAT="":
    cargo bench --workspace --all-features --profile ${BENCH_PROFILE:-bench} {{ if WHAT == "" { "" } else { "--bench " + WHAT } }}

# Kill a process at every instruction of every operation that processes share
sweep *NAMES:
    cargo test --release --package shared --features process --test sweep -- --all "$@"

# Kill random processes at work on what they share, for SECONDS
storm SECONDS="10":
    cargo test --release --package shared --features process --test storm -- "$@"

# Install what the Python programs need, below target/; says so if it cannot
python:
    #!/usr/bin/env bash
    set -u
    venv=target/python
    needed=$(paste -s -d, requirements.txt)
    if "$venv/bin/python3" -c "import $needed" 2>/dev/null; then exit 0; fi
    if ! python3 -m venv "$venv" >/dev/null 2>&1; then
        echo 'no python3 with venv: what stands in peer.py is not run (apt install python3-venv)' >&2
        exit 0
    fi
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r requirements.txt ||
        echo "$needed could not be installed: what needs it is not run" >&2
