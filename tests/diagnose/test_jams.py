"""Streams that nobody reads, as snapshots made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from asyncconsole.diagnose import confirm
from asyncconsole.model import Wait
from asyncconsole.model.autopsy import Autopsy
from asyncconsole.model.jam import Jam
from tests.diagnose.build import await_wait, moved, snapshot, task

A, B = "127.0.0.1:1", "127.0.0.1:2"


def held_up(number, name, jam, **more):
    kind = "subprocess" if jam.does == "wait" else "stream"
    wait = Wait(kind, "a stream", since=5.0, token=number, opaque=True, jam=jam)
    return task(number, name, wait, **more)


def drain(local, peer, **more):
    return Jam("drain", local, peer, unsent=1, paused=("reading",), buffered=9, **more)


def connection():
    return held_up(1, "client", drain(A, B)), held_up(2, "server", drain(B, A))


def findings(found, readers=((1, ()), (2, ())), later=None):
    """What two looks find, with what a frozen copy told of who may read."""
    first = replace(found, autopsy=Autopsy(readers=readers))
    second = first if later is None else replace(later, autopsy=first.autopsy)
    return confirm(first, second).findings


def child(does="wait", **more):
    return Jam(does, pid=77, paused=("stdout",), buffered=9, stands="pipe_write", **more)


def test_both_ends():
    (finding,) = findings(snapshot(*connection(), task(3, "heartbeat")))
    assert (finding.kind, finding.verdict) == ("mutual_backpressure", "suspect")
    assert finding.ids("stuck") == (1, 2)


def test_who_waits_behind_is_a_victim_though_it_has_the_stream():
    main = task(3, "main", await_wait(1, token=3))
    client, server = connection()
    found = snapshot(replace(client, awaited_by=(3,)), server, main)
    (finding,) = findings(found, readers=((1, (3,)), (2, ())))
    assert finding.ids("victim") == (3,)


def test_another_task_that_may_read():
    found = snapshot(*connection(), task(3, "reads"))
    assert findings(found, readers=((1, (3,)), (2, ()))) == ()


def test_without_a_frozen_copy_it_is_said_what_is_not_known():
    found = snapshot(*connection())
    (finding,) = confirm(found, found).findings
    assert "is not known" in finding.assumes


def test_it_moves():
    found = snapshot(*connection())
    assert findings(found, later=moved(found, 2)) == ()


@pytest.mark.parametrize(
    "other",
    [
        held_up(2, "server", drain(B, "127.0.0.1:3")),
        held_up(2, "server", replace(drain(B, A), paused=())),
        held_up(2, "server", drain(B, A), deadline=3.0),
    ],
    ids=["another connection", "it reads", "a timeout"],
)
def test_no_jam(other):
    assert findings(snapshot(held_up(1, "client", drain(A, B)), other)) == ()


def test_two_ends_of_unix_sockets():
    path = (
        held_up(1, "client", drain("", "/s", same=True)),
        held_up(2, "server", drain("/s", "", same=True)),
    )
    (finding,) = findings(snapshot(*path))
    assert finding.ids("stuck") == (1, 2)
    foreign = held_up(1, "client", drain("", "/s")), held_up(2, "server", drain("/s", ""))
    assert findings(snapshot(*foreign)) == ()


@pytest.mark.parametrize("does", ["wait", "drain"])
def test_a_child(does):
    (finding,) = findings(snapshot(held_up(1, "runner", child(does))), readers=((1, ()),))
    assert (finding.kind, finding.verdict) == ("subprocess_pipe", "suspect")
    assert "child process 77" in finding.summary
    assert "pipe_write" in finding.evidence[-1]


def test_a_child_that_is_read_or_bounded():
    waits = held_up(1, "runner", child())
    assert findings(snapshot(waits, task(2, "reads")), readers=((1, (2,)),)) == ()
    assert findings(snapshot(replace(waits, deadline=1.0)), readers=((1, ()),)) == ()
