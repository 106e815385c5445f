"""Every benchmark, one after the other, into docs/performance.md.

``python benchmarks/run.py [--quick] [--python PATH] [--write]``
"""

from __future__ import annotations

import argparse
import sys
import time

import footprint
import overhead
import scale
from measure import CHECKOUT, machine, setting, table

PAGE = CHECKOUT / "docs" / "performance.md"

PROSE = """\
# Performance

What a console costs its program, and how fast it answers: printed by `make bench`
(`python benchmarks/run.py --write`), which overwrites this page. Everything is measured side by
side in one run: a plain asyncio program, the same once more (*control*: what it differs by is
noise), with `asyncconsole.start()`, with tracking of locks and of one or ten frames of a task's
creation (*tracked*), with asyncio's debug mode, and with aiomonitor without and with its task
hook. Trust the ratios; the times depend on the machine and on what else it did.

Measured on: {machine}. It took {took}.{look}

## Budgets

{budgets}

Where a budget is missed, this is why, and what the floor would be:

- *tracked, create and await*: a record of one frame costs about 0.9 us a task (walking to the
  frame, the clock, the creator), remembering the end another 0.3 to 0.5 us. Creation alone is
  within the budget; knowing how every task ended is what takes the rest.
- *tracked, `acquire()` … `release()`*: storing an owner and looking up the current task take
  about 0.2 us, beside a pair that takes as much itself. Semaphores record each permit and cost
  more.
- *memory where nothing but asyncio is loaded*: the standard library's modules that the listener
  needs (socket and the like) count as ours there.
- *`ps` of 100,000 tasks*: about 20 us of CPU a task in the side thread for reading, naming and
  writing a row, and as much again for sharing the interpreter with the program's loop. Rows
  without a `Task` in between would be the next step.
- *`where` of 100,000 tasks*: who holds what a task waits for has to be looked for among all
  tasks that stand where something can be held, here 10,000 holders and 90,000 in queues.
- *longest delays*: one full collection of the garbage collector, or one big structure freed,
  while `locks` and `deadlocks` keep all tasks in memory; 99 % of the delays are within the
  budget.

## Overhead while nobody asks

CPU time of the process for one operation, and the medians of the rounds' ratios to it. Sides take
turns, round by round.

{overhead}

`start()` patches nothing of the program: what there is to measure comes from the side thread, which
looks at the loops four times a second.

## Starting, idling, and the first client

Medians of fresh processes that have loaded asyncio and what this benchmark needs (json, typing,
dataclasses, socket and the like, as most programs have). What commands need loads with the first
client.

{footprint}

## Commands on many tasks

Ten tasks to a lock: one holds it, nine queue. *churn* starts and ends some thousand tasks a second,
*busy* is a loop that never sleeps. The delay is that of a task which wants to wake up each
millisecond: compare it with the rows of *nobody asks*. Times are medians of three (of one at
100,000 tasks), delays the longest of them. A command that needs more than {longest:.0f} s is given
up.

{scale}
"""


def main() -> None:
    """Measure, print, and write the page if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a look, no result")
    parser.add_argument("--python", default=sys.executable, help="the interpreter to measure on")
    parser.add_argument("--no-peer", action="store_true", help="without aiomonitor")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    parser.add_argument("--minutes", type=float, default=9.0, help="leave out what takes longer")
    options = parser.parse_args()
    began = time.monotonic()
    with setting(
        options.python, quick=options.quick, peer=not options.no_peer, minutes=options.minutes
    ) as where:
        told = machine(where)
        print(told, file=sys.stderr)
        idle = footprint.measure(where)
        print(idle.text, "", sep="\n", flush=True)
        cost = overhead.measure(where)
        print(cost.text, "", sep="\n", flush=True)
        many = scale.measure(where)
        print(many.text, "", sep="\n", flush=True)
    rows = [one.row() for one in (*cost.budgets, *idle.budgets, *many.budgets)]
    budgets = table(["what", "measured", "budget", "missed by"], rows)
    print(budgets)
    if options.write:
        text = PROSE.format(
            machine=told,
            took=f"{(time.monotonic() - began) / 60:.0f} minutes",
            look=" A quick look, fewer rounds than a result has." if options.quick else "",
            budgets=budgets,
            overhead=cost.text,
            footprint=idle.text,
            scale=many.text,
            longest=scale.LONGEST,
        )
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
