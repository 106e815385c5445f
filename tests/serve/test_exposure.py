"""Tokens, certificates, and what is refused without them."""

import asyncio
import hmac
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys

import pytest

import asyncconsole
from asyncconsole.serve import access, door, exposure
from tests.serve.conftest import DEADLINE, environment

SECRET = "open sesame"


@pytest.fixture
def secret(tmp_path):
    """A file with a token, as it should be."""
    path = tmp_path / "token"
    path.write_text(SECRET + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost that vouches for itself, and its key."""
    if not shutil.which("openssl"):
        pytest.skip("ABSENT: openssl")
    folder = tmp_path_factory.mktemp("tls")
    names = str(folder / "cert.pem"), str(folder / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", names[1], "-out", names[0]],
        check=True, capture_output=True, timeout=DEADLINE,
    )  # fmt: skip
    return names


def test_a_token_comes_from_an_argument_a_file_or_the_environment(secret, monkeypatch):
    assert exposure.wanted("127.0.0.1", SECRET, None).token == SECRET
    assert exposure.wanted("127.0.0.1", secret, None).token == SECRET
    assert exposure.wanted("127.0.0.1", None, None) == exposure.Exposure()
    monkeypatch.setenv("ASYNCCONSOLE_AUTH_FILE", str(secret))
    assert exposure.wanted("127.0.0.1", None, None).token == SECRET
    assert exposure.wanted("127.0.0.1", "another", None).token == "another"
    monkeypatch.setenv("ASYNCCONSOLE_AUTH", "third")
    with pytest.raises(exposure.SettingError, match="both set"):
        exposure.wanted("127.0.0.1", None, None)
    monkeypatch.delenv("ASYNCCONSOLE_AUTH_FILE")
    assert exposure.wanted("127.0.0.1", None, None).token == "third"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o666])
def test_a_token_that_others_can_read_is_refused_in_one_line(secret, mode):
    secret.chmod(mode)
    with pytest.raises(ValueError, match=f"open to others .mode {mode:o}.; chmod 600") as caught:
        asyncconsole.start(port=0, auth=secret)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_files_that_hold_no_token_are_refused_in_one_line(tmp_path):
    def written(content):
        path = tmp_path / "other"
        path.write_bytes(content)
        path.chmod(0o600)
        return path

    os.mkfifo(tmp_path / "pipe", 0o600)
    for path, lesson in (
        (written(b"\n \n"), "is empty"),
        (tmp_path / "nowhere", "No such file"),
        (tmp_path, "Is a directory"),
        (tmp_path / "pipe", "is not a file"),
    ):
        with pytest.raises(ValueError, match=lesson):
            exposure.read_private(path)
    for content, lesson in ((b"\xff\xfe", "is not text"), (b"x" * 5000, "too long")):
        with pytest.raises(ValueError, match=lesson):
            exposure.read_private(written(content))


@pytest.mark.skipif(os.geteuid() != 0, reason="ABSENT: root, to give a file away")
def test_a_token_that_another_user_wrote_is_refused(secret):
    os.chown(secret, 65534, 65534)
    with pytest.raises(ValueError, match="belongs to uid 65534"):
        exposure.read_private(secret)


def test_a_wrong_environment_costs_the_console_and_not_the_program(secret, run, runtime):
    secret.chmod(0o644)
    source = "import asyncconsole; console = asyncconsole.start(port=0); print(console.closed)"
    assert run(source, ASYNCCONSOLE_AUTH_FILE=str(secret)) == "True\n"
    assert "the console did not start: ASYNCCONSOLE_AUTH_FILE: " in run.errors
    assert run.errors.count("\n") == 1
    assert run(source, ASYNCCONSOLE_TLS_KEY="key.pem") == "True\n"
    assert "ASYNCCONSOLE_TLS_KEY is set and ASYNCCONSOLE_TLS_CERT is not" in run.errors


def test_outside_of_loopback_both_are_needed_unless_somebody_insists(certificate, secret, caplog):
    with pytest.raises(
        ValueError, match=r"give a token .auth=\.\.\., ASYNCCONSOLE_AUTH_FILE. and TLS"
    ):
        asyncconsole.start(host="0.0.0.0", port=0)
    with pytest.raises(ValueError, match=r"give TLS"):
        asyncconsole.start(host="0.0.0.0", port=0, auth=secret)
    with pytest.raises(ValueError, match=r"give a token"):
        asyncconsole.start(host="0.0.0.0", port=0, tls=certificate)
    assert not exposure.wanted("0.0.0.0", secret, certificate).everybody
    assert not exposure.wanted("0.0.0.0", secret, None, insecure=True).everybody
    assert not exposure.wanted("127.0.0.1", None, None, insecure=True).everybody
    assert exposure.wanted("0.0.0.0", None, None, insecure=True).everybody


def test_insecure_is_said_aloud_and_lets_everybody_in(runtime, run):
    source = """
import asyncconsole, socket
with asyncconsole.start(host="0.0.0.0", port=0, read_only=True) as console:
    with socket.create_connection(("127.0.0.1", console.port)) as client:
        client.sendall(b"version\\nexit\\n")
        print(b"asyncconsole" in client.recv(4096))
"""
    assert run(source, ASYNCCONSOLE_INSECURE="1") == "True\n"
    assert "INSECURE: whoever reaches 0.0.0.0 port" in run.errors


def test_a_key_with_a_passphrase_is_not_asked_for(certificate, tmp_path):
    locked = tmp_path / "locked.pem"
    subprocess.run(
        ["openssl", "pkey", "-in", certificate[1], "-aes128", "-passout", "pass:x", "-out", locked],
        check=True, capture_output=True, timeout=DEADLINE,
    )  # fmt: skip
    with pytest.raises(ValueError, match="the key has a passphrase"):
        asyncconsole.start(port=0, tls=(certificate[0], locked))


def client(*words, **more):
    return subprocess.run(
        [sys.executable, "-m", "asyncconsole", *words],
        env=environment(**more),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_connect_speaks_tls_and_trusts_nobody_else(certificate, secret, runtime):
    with asyncconsole.start(port=0, auth=secret, tls=certificate, unix_socket=False) as console:
        target = f"localhost:{console.port}"
        good = client("connect", target, "--cafile", certificate[0], "-c", "version")
        assert good.stdout.startswith("asyncconsole"), good.stderr
        for words, code, lesson in (
            (("--tls",), 3, "certificate is not trusted"),
            (("--cafile", certificate[0], "--tls-name", "example.org"), 3, "is not trusted"),
            ((), 3, "One that speaks TLS wants --tls"),
            (("--cafile", str(secret)), 2, "--cafile"),
        ):
            bad = client("connect", target, *words, "-c", "version")
            assert (bad.returncode, bad.stdout) == (code, "")
            assert lesson in bad.stderr
            assert bad.stderr.count("\n") == 1
        by_pid = client("connect", str(os.getpid()), "--cafile", certificate[0], "-c", "version",
                        "--tls-name", "localhost")  # fmt: skip
        assert by_pid.returncode == 0, by_pid.stderr
    with asyncconsole.start(port=0, unix_socket=False) as console:
        bad = client("connect", f"localhost:{console.port}", "--tls", "-c", "version")
        assert (bad.returncode, bad.stdout) == (3, "")
        assert "Try without --tls" in bad.stderr


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_connect_shows_a_certificate_to_a_console_that_asks_for_one(certificate, runtime, newest):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.load_verify_locations(certificate[0])
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = newest
    cert, key = map(str, certificate)
    with asyncconsole.start(port=0, tls=context, unix_socket=False) as console:
        target = (f"localhost:{console.port}", "--cafile", cert)
        good = client("connect", *target, "--cert", cert, "--key", key, "-c", "version")
        assert good.stdout.startswith("asyncconsole"), good.stderr
        for words, code, lesson in (
            ((), 3, "--cert FILE"),
            (("--key", key), 2, "--cert FILE"),
            (("--cert", cert), 2, f"--cert {cert}: "),
            (("--cert", cert, "--key", cert + ".not"), 2, "No such file"),
        ):
            bad = client("connect", *target, *words, "-c", "version")
            assert (bad.returncode, bad.stdout) == (code, ""), bad.stderr
            assert lesson in bad.stderr
            assert bad.stderr.count("\n") == 1


def test_a_browser_that_speaks_tls_is_closed_unread_too(certificate, runtime, caplog):
    with asyncconsole.start(port=0, auth=SECRET, tls=certificate) as console:
        context = ssl.create_default_context(cafile=certificate[0])
        with socket.create_connection(("127.0.0.1", console.port), timeout=DEADLINE) as plain:
            browser = context.wrap_socket(
                plain, server_hostname="localhost", suppress_ragged_eofs=True
            )
            browser.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\ncancel 1\n")
            try:
                assert browser.recv(4096) == b""
            except (ConnectionError, ssl.SSLError):
                pass
            finally:
                browser.close()
    assert "ran:" not in caplog.text


def test_run_takes_the_same_by_options(certificate, secret, runtime, tmp_path):
    script = tmp_path / "app.py"
    script.write_text("import asyncio, sys\nasyncio.run(asyncio.to_thread(sys.stdin.read))\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "asyncconsole", "run", "--auth-file", secret, "--tls-cert",
         certificate[0], "--tls-key", certificate[1], "--host", "0.0.0.0", "--port", "0",
         "--idle-timeout", "60", "--no-unix-socket", script],
        stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    with process:
        try:
            port = process.stderr.readline().split()[3].rstrip(",")
            good = client(
                "connect", f"127.0.0.1:{port}", "--cafile", certificate[0],
                "--tls-name", "localhost", "-c", "version",
            )  # fmt: skip
            assert good.stdout.startswith("asyncconsole"), good.stderr
        finally:
            process.stdin.close()
            process.wait(DEADLINE)
    assert client("run", "--tls-key", "x", str(script)).returncode == 2


def test_the_clients_token_has_to_be_private_too(secret, tmp_path):
    secret.chmod(0o644)
    for words, more in (
        (("--token-file", str(secret)), {}),
        ((), {"ASYNCCONSOLE_TOKEN_FILE": str(secret)}),
    ):
        done = client("connect", "127.0.0.1:1", *words, "-c", "ps", **more)
        assert done.returncode == 2
        assert "open to others (mode 644); chmod 600 it" in done.stderr
        assert done.stderr.count("\n") == 1


def somebody(place="127.0.0.1 port 1", origin="uid 7"):
    return access.Visitor(place, "token", origin=origin)


def test_a_guess_is_not_looked_at_before_the_last_one_was_paid_for(monkeypatch):
    """Hanging up and coming again is no quicker; whoever guesses delays nobody elsewhere."""

    async def guess():
        loop = asyncio.get_running_loop()
        slept = []

        async def sleep(seconds):
            slept.append(round(seconds, 1))

        monkeypatch.setattr(access.asyncio, "sleep", sleep)
        monkeypatch.setattr(loop, "time", lambda: 100.0)
        gate = access.Gate(SECRET)
        assert not await gate.admits(somebody(), "wrong")
        assert not await gate.admits(somebody("127.0.0.1 port 2"), "worse")
        assert await gate.admits(somebody("127.0.0.1 port 3"), SECRET)
        assert slept == [0.0, access.PENALTY, access.PENALTY]
        assert await gate.admits(somebody(origin="uid 8"), SECRET)
        assert slept[3:] == [0.0]
        monkeypatch.setattr(access, "_MOST_ORIGINS", 9)
        for number in range(30):  # places are remembered, but not without bound
            await gate.admits(somebody(origin=f"10.0.0.{number}"), "wrong")
        assert len(gate._queues) <= access._MOST_ORIGINS + 1

    asyncio.run(guess())


def test_tokens_are_compared_in_constant_time(monkeypatch):
    compared = []

    def same(one, other):
        compared.append((len(one), len(other)))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", same)
    gate = access.Gate(SECRET)
    assert [gate._right(given) for given in ("", "x" * 4000, SECRET, "\udcff")] == [
        False, False, True, False
    ]  # fmt: skip
    assert compared == [(32, 32)] * 4


def test_who_fills_the_house_pushes_out_their_own(monkeypatch):
    class Task:
        cancelled = False

        def cancel(self):
            self.cancelled = True

    house = door.Door(None, None)
    one = door.Connection(None, somebody(origin="10.0.0.1"), task=Task())
    house.clients[one] = None
    crowd = [
        door.Connection(None, somebody(origin="10.0.0.2"), task=Task())
        for _ in range(door.CONNECTIONS + 10)
    ]
    for each in crowd:
        assert house.make_room()
        house.clients[each] = None
    assert not one.task.cancelled
    assert [each.task.cancelled for each in crowd[:12]] == [True] * 11 + [False]
    for each in house.clients:
        each.admitted = each.said = True
    assert not house.make_room()


@pytest.mark.parametrize(
    "said", ["", "ASYNCCONSOLE/1 {}\n", 'ASYNCCONSOLE/1 {"interactive": true}\n']
)
def test_who_says_nothing_has_to_leave(program, said):
    client = program(idle=0.3).connect()
    client.send(said or "\n")
    assert "Nothing said for 0.3 s." in client.rest()


def test_a_telnet_that_says_nothing_has_to_leave(program):
    client = program(idle=0.3).connect()
    client.send(b"\xff\xfc\x18\xff\xfc\x1f")
    client.rest()


def test_a_record_says_that_the_port_speaks_tls(certificate, runtime):
    with asyncconsole.start(port=0, tls=certificate):
        (record,) = runtime.glob("*.json")
        assert json.loads(record.read_text())["tls"] is True
