"""The first bytes of a connection."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncconsole.serve import sniff


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"ps\n", "text"),
        (b"p", "text"),
        (b"\n", "text"),
        (b"\x03", "text"),
        ("trübe\n".encode(), "text"),
        (b"\xff\xfb\x1f", "telnet"),
        (b'ASYNCCONSOLE/1 {"interactive": true}\n', "wire"),
        (b"ASYNCCON", None),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "http"),
        (b"\r\nGET / HTTP/1.1\r\n", "http"),
        (b"GET ", "http"),
        (b"GE", None),
        (b"POST /console HTTP/1.1\r\n\r\nconsole\n", "http"),
        (b"OPTIONS * HTTP/1.1\r\n", "http"),
        (b"patch / http/1.1\r\n", "http"),
        (b"ANY-method /x HTTP/2\r\nps\r\n", "http"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http"),
        (b"\x16\x03\x01\x02\x00\x01\x00", "tls"),
        (b"\x16", None),
        (b"\x00\x00\x00\x08", "binary"),
        (b"\x03\x00\x00\x13", "binary"),
    ],
)
def test_kinds(data, kind):
    assert sniff.classify(data) == kind


@given(st.binary(min_size=1, max_size=100))
def test_never_raises(data):
    sniff.classify(data)


@pytest.mark.parametrize("method", ["GET", "POST", "get", "BREW", "M-SEARCH"])
def test_request_lines(method):
    assert sniff.request_line(f"{method} /ps?x=1 HTTP/1.1\r".encode())


@pytest.mark.parametrize(
    "line", [b"ps", b"where 3", b"x = 'GET / HTTP/1.1'", b"get = 3", b"await fetch('HTTP/1.1')"]
)
def test_commands_and_python_are_no_requests(line):
    assert not sniff.request_line(line)
