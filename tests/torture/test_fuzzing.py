"""Whatever comes in, parsers neither raise nor grow: a bounded run; ASYNCCONSOLE_LONG=1 makes it long."""

import asyncio
import json
from contextlib import suppress

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

from asyncconsole.commands import dispatch
from asyncconsole.model import Resource, Snapshot, Task, UsageError
from asyncconsole.serve import inbox, negotiation, telnet, wire
from asyncconsole.serve.outlet import Outlet
from asyncconsole.serve.plain import PlainTerminal
from asyncconsole.serve.stream import Stream
from tests.torture.conftest import LONG

fuzzed = settings(
    max_examples=200_000 if LONG else 60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)


class Transport:
    """Takes everything."""

    closing = False

    def __init__(self):
        self.sent = bytearray()

    def get_write_buffer_size(self):
        return 0

    def is_closing(self):
        return self.closing

    def abort(self):
        self.closing = True


class Writer:
    """Of a client that reads."""

    def __init__(self):
        self.transport = Transport()

    def write(self, data):
        self.transport.sent += data

    def can_write_eof(self):
        return True

    def write_eof(self):
        self.transport.closing = True

    def close(self):
        self.transport.closing = True

    async def wait_closed(self):
        return


def reader(pieces):
    """A stream of all that a client sends, and its end."""
    stream = asyncio.StreamReader(limit=inbox.LINE_LIMIT)
    for piece in pieces:
        stream.feed_data(piece)
    stream.feed_eof()
    return stream


CODES = some.sampled_from([telnet.DO, telnet.DONT, telnet.WILL, telnet.WONT, telnet.SB, telnet.SE, 255,
                           telnet.INTERRUPT, telnet.EOF, telnet.ARE_YOU_THERE, telnet.ERASE_LINE])  # fmt: skip
OPTIONS = some.sampled_from([1, 3, 6, 24, 31, 34, 39, 255])
SPOKEN = some.one_of(
    some.binary(max_size=80),
    some.builds(lambda code, option: bytes((255, code, option)), CODES, OPTIONS),
    some.builds(
        lambda option, body, end: bytes((255, 250, option)) + body + end,
        OPTIONS, some.binary(max_size=1100), some.sampled_from([b"", b"\xff\xf0", b"\xff"]),
    ),
    some.sampled_from([b"ps\r\n", b"\r\0", b"\x03", b"\x04", b"\x15", b"x" * 70000, b"\n" * 300]),
)  # fmt: skip


@fuzzed
@given(some.lists(SPOKEN, max_size=30), some.booleans())
def test_a_telnet_client_may_send_anything(pieces, editing):
    said = b"".join(pieces)

    async def serve():
        writer = Writer()
        outlet = Outlet(writer)
        agreed = negotiation.Negotiation()
        stream = Stream(reader(pieces), outlet, agreed, editing=editing)
        terminal = stream.consumer = PlainTerminal(stream)
        pump = asyncio.ensure_future(stream.pump(b""))
        lines = []
        try:
            while True:
                lines.append(await terminal._inbox.get(5))
                assert len(terminal._inbox._lines) < 256 + 4096
        except (EOFError, KeyboardInterrupt):
            pass
        while not pump.done():
            terminal._inbox.rest()
            await asyncio.sleep(0)
        await pump
        assert len(terminal._line) <= inbox.LINE_LIMIT + 4096
        assert len(stream._parser._sub) <= telnet.SUBNEGOTIATION_LIMIT + 1
        assert 20 <= agreed.width <= 1000
        assert 0 < agreed.height <= 1000
        assert agreed.terminal == "" or agreed.terminal.isprintable()
        assert all(len(line) <= inbox.LINE_LIMIT for line in lines)
        # At most one answer to each option, a few bytes to whatever asks for some.
        assert len(writer.transport.sent) <= 300 + 4 * 6 * 256 + 9 * said.count(b"\xff")

    asyncio.run(serve())


NAMES = sorted(dispatch.names())
OPTION_WORDS = sorted(
    {
        option
        for command in dispatch.catalogue().values()
        for action in command.parser()._actions
        for option in action.option_strings
    }
)
WORDS = some.one_of(
    some.sampled_from(NAMES),
    some.sampled_from(OPTION_WORDS),
    some.builds("{}={}".format, some.sampled_from(OPTION_WORDS), some.text(max_size=5)),
    some.sampled_from(
        ["'", '"', "\\", "1", "-1", "1e999", "nan", "L1", "--", "-", "%s", "%(prog)s", "\0"]
    ),
    some.sampled_from(
        ["|", "grep", "head", "sort", "count", "| head 3", "| grep -v x", "||", "on", "off"]
    ),
    some.text(max_size=12),
    some.floats().map(str),
)
LINES = some.one_of(
    some.text(max_size=60),
    some.builds(
        lambda name, words, gap: gap.join([name, *words]),
        some.sampled_from(NAMES), some.lists(WORDS, max_size=5), some.sampled_from([" ", "  ", "\t"]),
    ),
)  # fmt: skip
SNAPSHOT = Snapshot(
    1, "app.py", "3.12.0", "2026-01-01T00:00:00Z",
    tasks=(Task(1, "a 'quoted' name", "waiting", "work", 1), Task(2, "\ud800\x1b[2J", "waiting", "work", 1)),
    resources=(Resource("L1", "Lock", "LOCKS['alice']", "locked"),),
)  # fmt: skip


@fuzzed
@given(LINES)
def test_a_line_may_be_anything(line):
    call = None
    with suppress(UsageError):
        call = dispatch.parse(line)
    if call is not None:
        assert call.command.name in dispatch.catalogue()
        assert call.changes in (True, False)
    for snapshot in (None, SNAPSHOT):
        replaced, candidates = dispatch.complete(line, snapshot)
        assert 0 <= replaced <= len(line)
        assert all(isinstance(each, str) for each in candidates)


VALUES = some.recursive(
    some.one_of(
        some.none(), some.booleans(), some.integers(), some.floats(), some.text(max_size=30),
        some.sampled_from(["ps", "x" * 5000, "1"]),
    ),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
KEYS = some.sampled_from(
    [
        "run",
        "line",
        "eof",
        "interrupt",
        "width",
        "height",
        "complete",
        "timeout",
        "token",
        "interactive",
        "colour",
        "keys",
        "key",
        "screen",
    ]
)
MESSAGES = some.one_of(
    some.dictionaries(KEYS, VALUES, max_size=3).map(lambda said: json.dumps(said).encode()),
    VALUES.map(lambda said: json.dumps(said).encode()),
    some.binary(max_size=60).filter(lambda data: b"\n" not in data),
    some.sampled_from([b"", b"{}", b"[" * 3000, b'{"run": "\\ud800"}', b"x" * 70000]),
)


@fuzzed
@example(b"{}", [b'{"width": true}'])
@example(b"{}", [b'{"width": 5}'])
@given(MESSAGES, some.lists(MESSAGES, max_size=12))
def test_the_wire_may_carry_anything(first, messages):
    hello = wire.read_hello(b'ASYNCCONSOLE/1 {"interactive": true}')
    with suppress(wire.ProtocolError):
        hello = wire.read_hello(b"ASYNCCONSOLE/1 " + first)
    assert 20 <= hello.width <= 1000

    async def complete(line):
        return dispatch.complete(line, SNAPSHOT)

    async def serve():
        writer = Writer()
        lines = wire.Lines(reader(message + b"\n" for message in messages), b"")
        terminal = wire.WireTerminal(lines, Outlet(writer), hello, complete, idle=5)
        pump = asyncio.ensure_future(terminal.pump())
        while not pump.done():
            terminal._inbox.rest()
            await asyncio.sleep(0)
        await pump
        assert 20 <= terminal.width <= 1000
        while run := await terminal.next_run():
            assert isinstance(run.line, str)
            assert run.timeout is None or 0 <= run.timeout <= 3600
        for said in bytes(writer.transport.sent).splitlines():
            assert isinstance(json.loads(said), dict)
            assert len(said) < 1 << 16

    asyncio.run(serve())


STEPS = some.one_of(
    some.tuples(some.just("put"), some.none() | some.text(max_size=20) | some.just("x" * 60000)),
    some.tuples(some.sampled_from(["interrupt", "rest", "get", "end"]), some.none()),
)


@fuzzed
@given(some.lists(STEPS, max_size=40))
def test_lines_that_wait_are_kept_in_order_and_bounded(steps):
    async def go():
        box = inbox.Inbox()
        expected, ended = [], False
        for step, line in steps:
            if step == "put" and box._space.is_set() and not ended:
                box.put(line)
                expected.append(line)
            elif step == "interrupt":
                box.interrupt()
                expected.clear()
            elif step == "rest":
                assert box.rest() == "".join(each + "\n" for each in expected if each is not None)
                expected.clear()
            elif step == "end":
                box.end()
                ended = True
            elif step == "get" and box.pending:
                try:
                    got = await box.get(5)
                except EOFError:
                    got = None
                assert got == (expected.pop(0) if expected else None)
            assert list(box._lines) == expected
            assert box._characters == sum(len(each or "") for each in expected)
            assert box._characters < inbox._MOST_CHARACTERS + inbox.LINE_LIMIT
            full = len(expected) >= inbox._MOST_LINES or box._characters >= inbox._MOST_CHARACTERS
            assert box._space.is_set() != full

    asyncio.run(go())
