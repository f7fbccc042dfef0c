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

# Compare lesson N, or all, with Python: the same work, in turns (try --help)
[no-exit-message]
compare *ARGS: python
    @{{ course }} compare "$@"

# Draw the pictures of lesson N, or of all, anew, and record their runs
pictures *N:
    @{{ course }} pictures "$@"

# Plan three sessions of 90 minutes, and one of a day
plan:
    @{{ course }} plan

# Make a book of the chapters, target/book/index.html, and check its links
book:
    @cargo run {{ quiet }} --package shared --features book --bin book

# Serve the local web site to a browser or curl, until Ctrl-C (try --help)
[no-exit-message]
site *ARGS:
    @cargo run {{ quiet }} --package shared --features site --bin site -- "$@"

# Run the tests of lesson N, or all, more at a time than there are cores: most wait
[no-exit-message]
test *N: python
    @RUST_TEST_THREADS=${RUST_TEST_THREADS:-4} {{ course }} test "$@"

# Check form: format, lints, docs, numbers, headings, links, missing parts
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --all-features --no-deps --quiet
    {{ course }} check

# Measure: all, or one of record, switch, process, growth, site (BENCH_ROUNDS=N for process, growth)
bench WHAT="" *PART:
    cargo bench --workspace --all-features --profile ${BENCH_PROFILE:-bench} {{ if WHAT == "" { "" } else { "--bench " + WHAT } }} {{ if PART == "" { "" } else { "-- " + PART } }}

# Kill a process at every instruction of every operation that processes share
sweep *NAMES:
    cargo test --release --package shared --features process --test sweep -- --all "$@"

# Kill random processes at work on what they share, for SECONDS
storm SECONDS="10":
    cargo test --release --package shared --features process --test storm -- "$@"

# Run each lesson TIMES times, two at a time, in a random order
soak TIMES="200":
    cargo build --workspace --quiet
    SOAK_TIMES="$1" cargo test --package testkit --test soak -- --nocapture

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

# Print completions for bash, with the lessons' names: eval "$(just completions)"
completions:
    #!/usr/bin/env bash
    set -euo pipefail
    names=$(printf '%s\n' lessons/[0-9]*-*/ | sed 's|^lessons/[0-9]*-\(.*\)/$|\1|' | paste -s -d ' ')
    just --completions bash
    cat <<END
    _complete_course() {
        case "\$COMP_CWORD:\${COMP_WORDS[1]}" in
        2:lesson | 2:walk | 2:peer | 2:compare | 2:pictures | 2:test)
            COMPREPLY=(\$(compgen -W "$names" -- "\${COMP_WORDS[2]}")) ;;
        *) _clap_complete_just "\$@" ;;
        esac
    }
    complete -o bashdefault -F _complete_course just
    END
