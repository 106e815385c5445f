"""Ports, hosts, and what is refused before anything listens."""

import socket
import sys

import pytest

import asyncconsole
from asyncconsole.serve import address
from tests.interpreters import INTERPRETERS


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock.getsockname()[1]


def test_an_explicit_port_is_taken_as_given(taken):
    with socket.create_server(("127.0.0.1", 0)) as sock:
        free = sock.getsockname()[1]
    with address.listen_tcp("127.0.0.1", free, strict=True) as sock:
        assert sock.getsockname()[1] == free


def test_a_taken_explicit_port_gives_any_other_and_one_line(taken, caplog):
    with address.listen_tcp("127.0.0.1", taken, strict=False) as sock:
        got = sock.getsockname()[1]
    assert got != taken
    assert [record.getMessage() for record in caplog.records] == [
        f"port {taken} is taken; the console listens on 127.0.0.1 port {got}"
    ]


def test_a_taken_explicit_port_is_an_error_when_strict(taken):
    with pytest.raises(OSError, match=f"port {taken} can't be had; choose another"):
        address.listen_tcp("127.0.0.1", taken, strict=True)
    with pytest.raises(OSError, match="can't be had"):
        asyncconsole.start(port=taken, strict_port=True)


def test_a_taken_default_port_gives_a_neighbour_even_when_strict(monkeypatch, caplog):
    first = address.listen_tcp("127.0.0.1", address.DEFAULT_PORT, strict=True)
    second = address.listen_tcp("127.0.0.1", address.DEFAULT_PORT, strict=True)
    with first, second:
        ports = [sock.getsockname()[1] for sock in (first, second)]
    assert len(set(ports)) == 2
    assert "is taken; the console listens on" in caplog.text


def test_when_all_neighbours_are_taken_any_port_will_do(monkeypatch, taken):
    monkeypatch.setattr(address, "_NEIGHBOURS", range(taken, taken + 1))
    with address.listen_tcp("127.0.0.1", address.DEFAULT_PORT, strict=False) as sock:
        assert sock.getsockname()[1] != taken


def test_the_default_differs_from_the_same_number_given():
    assert address.DEFAULT_PORT == 50101
    assert int("50101") is not address.DEFAULT_PORT


@pytest.mark.parametrize(
    ("options", "lesson"),
    [
        ({"host": "example.org"}, "is no IP address"),
        ({"host": None}, "is no IP address"),
        ({"port": 70000}, "is no port"),
        ({"port": -1}, "is no port"),
        ({"port": "50101"}, "is no port"),
        ({"port": True}, "is no port"),
        ({"auth": ""}, "auth must be a token"),
        ({"auth": 5}, "auth must be a token"),
        ({"tls": ("no.pem", "such.key")}, "tls must be"),
        ({"tls": 5}, "tls must be"),
        ({"host": "0.0.0.0"}, "can be reached from outside"),
        ({"host": "::", "auth": "secret"}, "can be reached from outside"),
        ({"host": "192.0.2.1", "auth": None, "tls": ("a", "b")}, "can be reached from outside"),
        ({"stall_threshold": -1}, "stall_threshold"),
        ({"stall_threshold": float("nan")}, "stall_threshold"),
    ],
)
def test_usage_errors_teach_in_one_line(options, lesson):
    with pytest.raises(ValueError, match=lesson) as caught:
        asyncconsole.start(**options)
    assert "\n" not in str(caught.value)


def test_an_address_that_is_not_ours_is_contained(caplog):
    console = asyncconsole.start(host="127.0.0.1", port=1)
    try:
        assert not console.closed  # root gets it, everyone else another one
    finally:
        console.close()


def test_a_unix_socket_in_use_is_left_alone(tmp_path):
    path = tmp_path / "1.sock"
    with address.listen_unix(path), pytest.raises(OSError, match="another living console"):
        address.listen_unix(path)
    with address.listen_unix(path):  # a dead one's is replaced
        assert path.stat().st_mode & 0o777 == 0o600


def newly(run, python, statements):
    """Modules that some statements load in a program that has asyncio and nothing else."""
    source = f"import sys, asyncio; old = set(sys.modules)\n{statements}\n"
    return set(run(f"{source}print(*(set(sys.modules) - old))", python=python).split())


@pytest.mark.parametrize("python", INTERPRETERS)
def test_importing_loads_next_to_nothing(run, python):
    assert newly(run, python, "import asyncconsole") == {
        "__future__", "asyncconsole", "asyncconsole._version"
    }  # fmt: skip
    loaded = run("import sys, asyncconsole; print(*sys.modules)", python=python).split()
    for heavy in ("asyncio", "prompt_toolkit", "socket", "logging", "argparse", "typing"):
        assert heavy not in loaded


LATER = ("commands", "diagnose", "render", "repl", "act", "track", "client", "capture.program")
"""Parts that load with the first client, or when they are asked for."""


@pytest.mark.parametrize("python", INTERPRETERS)
def test_a_console_without_clients_is_small(run, runtime, python):
    start = "import asyncconsole, threading; before = threading.active_count()\n"
    start += "asyncconsole.start(port=0); assert threading.active_count() == before + 1"
    loaded = newly(run, python, start)
    ours = {name.partition(".")[2] for name in loaded if name.startswith("asyncconsole.")}
    assert not {name for name in ours if name.startswith(LATER)}
    assert len(ours) < 70, sorted(ours)
    others = {name.partition(".")[0] for name in loaded} - {"asyncconsole"}
    assert not {"argparse", "datetime", "hashlib", "hmac", "platform", "sysconfig"} & others
    standard = set(sys.stdlib_module_names) | {"_typing", "_py_warnings"}
    assert not {name for name in others if name not in standard}


def test_names_that_do_not_exist_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'stop'"):
        asyncconsole.stop  # noqa: B018
