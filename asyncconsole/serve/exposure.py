"""How far a console can be seen: its token, its certificate, and what is refused without them."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asyncconsole.serve.address import check_host

if TYPE_CHECKING:
    import ssl  # noqa: TC004 - loads when somebody wants TLS; annotations are never evaluated here

    Auth = str | os.PathLike[str] | None
    Tls = ssl.SSLContext | tuple[str, str | None] | None

TOKEN, TOKEN_FILE = "ASYNCCONSOLE_AUTH", "ASYNCCONSOLE_AUTH_FILE"
CERTIFICATE, KEY = "ASYNCCONSOLE_TLS_CERT", "ASYNCCONSOLE_TLS_KEY"
INSECURE = "ASYNCCONSOLE_INSECURE"

_LONGEST = 4096
"""Bytes of a token; more is another kind of file."""

_OTHERS = 0o077


class SettingError(ValueError):
    """What the environment says is wrong; no reason to take the program down."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """Who may see a console's TCP port, and how.

    Attributes:
        token: Lets in who is neither this user nor root.
        tls: For the TCP port.
        everybody: Whoever reaches that port may come in: it can be reached from outside,
            there is no token, and somebody said that this is meant.
    """

    token: str | None = None
    tls: ssl.SSLContext | None = None
    everybody: bool = False


def wanted(host: str, auth: Any, tls: Any, *, insecure: bool | None = None) -> Exposure:
    """What the arguments of `start` ask for; where they say nothing, the environment.

    Raises:
        SettingError: The environment is wrong; the message says what to set.
        ValueError: An argument is wrong, or a non-loopback address lacks token or TLS.
    """
    token = _token_of_environment() if auth is None else _token(auth)
    if insecure is None:
        insecure = os.environ.get(INSECURE, "").strip().lower() in {"1", "on", "yes", "true"}
    outside = not check_host(host).is_loopback
    if tls is None:
        tls = _files_of_environment()
    if outside and not insecure and (token is None or tls is None):
        missing = " and ".join(
            what
            for what, there in (
                (f"a token (auth=..., {TOKEN_FILE})", token),
                (f"TLS (tls=(certfile, keyfile), {CERTIFICATE} and {KEY})", tls),
            )
            if there is None
        )
        msg = (
            f"host={host!r} can be reached from outside, and a console can run code: give "
            f"{missing}, or stay on 127.0.0.1 and tunnel with ssh."
        )
        raise ValueError(msg)
    return Exposure(token, _context(tls), everybody=outside and token is None)


def read_private(path: str | os.PathLike[str]) -> str:
    """The token in a file that only its owner can read.

    Raises:
        ValueError: It can't be read, has no token, or others can read it.
    """
    try:
        with open(path, "rb", opener=_open) as file:
            status = os.fstat(file.fileno())  # of this very file, whatever happens to the name
            if not stat.S_ISREG(status.st_mode):
                msg = f"{os.fspath(path)} is not a file"
                raise ValueError(msg)
            _check_owner(os.fspath(path), status)
            said = file.read(_LONGEST + 1)
    except OSError as error:
        msg = f"{os.fspath(path)}: {error.strerror}"
        raise ValueError(msg) from None
    if len(said) > _LONGEST:
        msg = f"{os.fspath(path)} is too long for a token"
        raise ValueError(msg)
    try:
        token = said.decode().strip()
    except UnicodeDecodeError:
        msg = f"{os.fspath(path)} is not text"
        raise ValueError(msg) from None
    if not token:
        msg = f"{os.fspath(path)} is empty; write a token into it"
        raise ValueError(msg)
    return token


def _open(path: str, flags: int) -> int:
    # A named pipe without a writer would be waited for.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check_owner(path: str, status: os.stat_result) -> None:
    if os.name != "posix":  # who may read is not in the mode there
        return
    if status.st_uid not in (0, os.geteuid()):
        msg = f"{path} belongs to uid {status.st_uid}, who knows the token then; make it yours"
        raise ValueError(msg)
    if stat.S_IMODE(status.st_mode) & _OTHERS:
        mode = stat.S_IMODE(status.st_mode)
        msg = f"{path} is open to others (mode {mode:o}); chmod 600 it"
        raise ValueError(msg)


def _token(auth: Any) -> str:
    if isinstance(auth, os.PathLike):
        try:
            return read_private(auth)
        except ValueError as error:
            msg = f"auth: {error}."
            raise ValueError(msg) from None
    if isinstance(auth, str) and auth:
        return auth
    msg = "auth must be a token (a string that is hard to guess) or a Path to a file with one."
    raise ValueError(msg)


def _token_of_environment() -> str | None:
    token, file = os.environ.get(TOKEN), os.environ.get(TOKEN_FILE)
    if token and file:
        msg = f"{TOKEN} and {TOKEN_FILE} are both set; which of them is the token? Unset one."
        raise SettingError(msg)
    if not file:
        return token or None
    try:
        return read_private(file)
    except ValueError as error:
        msg = f"{TOKEN_FILE}: {error}."
        raise SettingError(msg) from None


def _context(tls: Any) -> ssl.SSLContext | None:
    if tls is None:
        return None
    import ssl  # noqa: PLC0415 - takes a while to load, and few want it

    if isinstance(tls, ssl.SSLContext):
        return tls
    try:
        certificate, key = tls
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # A key with a passphrase would be asked for on the program's terminal.
        context.load_cert_chain(certificate, key, password=_no_passphrase)
    except (OSError, TypeError, ValueError) as error:
        if isinstance(tls, _Files):
            msg = f"{CERTIFICATE}, {KEY}: {error}"
            raise SettingError(msg) from None
        msg = f"tls must be an ssl.SSLContext or (certfile, keyfile): {error}"
        raise ValueError(msg) from None
    return context


def _no_passphrase() -> str:
    msg = "the key has a passphrase; make an SSLContext yourself"
    raise ValueError(msg)


class _Files(tuple[str, str | None]):
    """Names of files that the environment gave."""

    __slots__ = ()


def _files_of_environment() -> _Files | None:
    certificate, key = os.environ.get(CERTIFICATE), os.environ.get(KEY)
    if certificate:
        return _Files((certificate, key or None))
    if key:
        msg = f"{KEY} is set and {CERTIFICATE} is not; name the certificate's file, too."
        raise SettingError(msg)
    return None
