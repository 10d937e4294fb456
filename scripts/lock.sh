#!/bin/sh
# Writes requirements/*.txt anew from pyproject.toml: exact versions with their hashes, for every platform.
# usage: scripts/lock.sh [--upgrade]   (needs uv; without --upgrade what is locked stays where it can)
set -eu
cd "$(dirname "$0")/.."

lock() { # output, then what it holds
    output=$1
    shift
    echo "locking requirements/$output.txt"
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --custom-compile-command scripts/lock.sh --output-file "requirements/$output.txt" "$@"
}

# dev holds all the others, so they take their versions from it and never disagree.
lock dev --group dev --extra serve --extra postgresql "$@" pyproject.toml
lock serve --constraint requirements/dev.txt --extra serve pyproject.toml
lock postgresql --constraint requirements/dev.txt --extra postgresql pyproject.toml
lock runtime --constraint requirements/dev.txt pyproject.toml
lock build --constraint requirements/dev.txt --group build
lock nginx --constraint requirements/dev.txt --group nginx
lock fuzz --group fuzz
