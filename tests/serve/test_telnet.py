"""The telnet parser and the negotiation: pure, so anything can be thrown at them."""

from hypothesis import given
from hypothesis import strategies as st

from asyncconsole.serve import telnet
from asyncconsole.serve.negotiation import Negotiation
from asyncconsole.serve.telnet import (
    DO,
    DONT,
    IAC,
    SB,
    SE,
    WILL,
    WONT,
    Command,
    Data,
    Option,
    Overflow,
    Parser,
    Subnegotiation,
)

pieces = st.lists(
    st.one_of(
        st.binary(max_size=8),
        st.sampled_from(
            [
                bytes((IAC, IAC)),
                bytes((IAC, DO, 1)),
                bytes((IAC, WILL, 31)),
                bytes((IAC, SB, 31, 0, 80, 0, 24, IAC, SE)),
                bytes((IAC, SB, 24, 0, IAC, IAC, IAC, SE)),
                bytes((IAC, SB)),
                bytes((IAC,)),
                b"\r\n",
                b"\r\0",
                b"\r",
                b"ps",
            ]
        ),
    ),
    max_size=20,
)


def merged(events):
    """The events with adjacent data joined."""
    result = []
    for event in events:
        if result and isinstance(event, Data) and isinstance(result[-1], Data):
            result[-1] = Data(result[-1].payload + event.payload)
        else:
            result.append(event)
    return result


@given(pieces, st.data())
def test_events_do_not_depend_on_how_the_bytes_are_cut(parts, data):
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    whole = merged(Parser().feed(stream))
    parser = Parser()
    events = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        events += parser.feed(stream[start:end])
    assert merged(events) == whole


@given(st.binary(max_size=3000))
def test_garbage_never_raises(data):
    negotiation = Negotiation()
    for event in Parser().feed(data):
        if isinstance(event, Option):
            negotiation.option(event)
        elif isinstance(event, Subnegotiation):
            negotiation.subnegotiation(event)
    assert 20 <= negotiation.width <= 1000
    assert 0 < negotiation.height <= 1000


def test_everything_a_telnet_may_say():
    stream = b"p" + bytes((IAC, IAC)) + b"s\r\n" + bytes((IAC, telnet.INTERRUPT)) + b"\r\0x\ry"
    stream += bytes((IAC, DO, 1, IAC, SB, 24, 0)) + b"XTERM" + bytes((IAC, SE))
    assert merged(Parser().feed(stream)) == [
        Data(b"p\xffs\r"),
        Command(telnet.INTERRUPT),
        Data(b"\rx\ry"),
        Option(DO, 1),
        Subnegotiation(24, b"\0XTERM"),
    ]


def test_an_endless_subnegotiation_is_given_up():
    parser = Parser()
    events = parser.feed(bytes((IAC, SB, 24)) + b"x" * 2000 + bytes((IAC, SE)) + b"ps\r\n")
    assert events == [Overflow()]
    assert parser.feed(b"more") == []


def test_two_sides_that_contradict_each_other_come_to_an_end():
    negotiation = Negotiation()
    assert negotiation.option(Option(WILL, 39)) == bytes((IAC, DONT, 39))
    assert negotiation.option(Option(WILL, 39)) == b""
    assert negotiation.option(Option(DO, 39)) == bytes((IAC, WONT, 39))
    assert negotiation.option(Option(DO, 39)) == b""
    assert negotiation.option(Option(DO, telnet.ECHO)) == b""


def test_timing_marks_are_always_answered():
    negotiation = Negotiation()
    answer = bytes((IAC, WILL, telnet.TIMING_MARK))
    assert [negotiation.option(Option(DO, telnet.TIMING_MARK)) for _ in range(2)] == [answer] * 2


def test_silly_windows_are_ignored():
    negotiation = Negotiation()
    assert negotiation.subnegotiation(Subnegotiation(31, bytes((0, 100, 0, 30))))
    for payload in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0", b""):
        assert not negotiation.subnegotiation(Subnegotiation(31, payload))
    assert (negotiation.width, negotiation.height) == (100, 30)


def test_it_is_settled_when_both_questions_are_answered_either_way():
    negotiation = Negotiation()
    negotiation.option(Option(WONT, telnet.WINDOW_SIZE))
    assert not negotiation.settled
    negotiation.subnegotiation(Subnegotiation(telnet.TERMINAL_TYPE, b"\0XTERM-256color\x1b["))
    assert negotiation.settled
    assert negotiation.terminal == "xterm-256color"
