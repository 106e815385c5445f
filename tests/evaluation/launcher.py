"""A program of the evaluation with the console on: ``launcher.py PROGRAM LOOP TRACK``.

LOOP: asyncio, uvloop, eager or debug. TRACK: 0 or 1. Prints ``PORT n``, then what the program prints.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import asyncconsole
from tests.loops import run_program


def main(path, kind, track):
    if hasattr(signal, "alarm"):
        signal.alarm(120)  # in its default action: ends the process, even inside C code
    tracked = track == "1"
    console = asyncconsole.start(
        port=0, track_tasks=tracked, track_locks=tracked, stall_threshold=0.3
    )
    print("PORT", console.port, flush=True)
    run_program(path, kind)


if __name__ == "__main__":
    main(*sys.argv[1:])
