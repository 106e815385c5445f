"""uvloop keeps its timers and ready queue in C attributes; the garbage collector shows them.

Seen on uvloop 0.19 to 0.23: the loop refers to one set of ``TimerHandle`` and one deque
of ``Handle``; a handle refers to its callback and, when there are any, a tuple of
arguments.
"""

from __future__ import annotations

import gc
from collections import deque
from typing import Any

from asyncconsole.capture.objects import class_name, module_of, mro, space, type_name

MODULE = "uvloop.loop"


def is_loop(thing: Any) -> bool:
    """True for uvloop's loops and their subclasses."""
    return any(
        class_name(base) == "Loop" and module_of(base) == MODULE for base in mro(type(thing))
    )


def is_timer(thing: Any) -> bool:
    """True for uvloop's timer handles."""
    return type_name(thing) == "TimerHandle" and module_of(type(thing)) == MODULE


def timers(loop: Any) -> list[Any]:
    """Timer handles that are scheduled."""
    found: list[Any] = []
    for item in gc.get_referents(loop):
        if type(item) is set:
            handles = list(item)
            if handles and all(is_timer(handle) for handle in handles):
                found += handles
    return found


def ready(loop: Any) -> list[Any]:
    """Handles whose callbacks run in the loop's next turn."""
    for item in gc.get_referents(loop):
        if type(item) is deque:
            handles = list(item)
            if handles and all(type_name(handle) == "Handle" for handle in handles):
                return handles
    return []


def callback(handle: Any) -> tuple[Any, tuple[Any, ...]]:
    """What a handle calls, and with which arguments."""
    held = gc.get_referents(handle)
    arguments = next((item for item in held if type(item) is tuple), ())
    function = next((item for item in held if not is_loop(item) and callable(item)), None)
    return function, arguments


def coroutine_name(code: Any) -> str:
    """Name of a coroutine of uvloop's own, by its code; "" for all other code."""
    return code.co_name if code.co_filename.startswith("uvloop/") else ""


def is_transport(thing: Any) -> bool:
    """True for uvloop's own transports (TCP, pipes)."""
    return any(
        class_name(base) in {"UVBaseTransport", "UVStream"} and module_of(base) == MODULE
        for base in mro(type(thing))
    )


def is_tls(thing: Any) -> bool:
    """True for uvloop's TLS on top of another transport."""
    return type_name(thing) == "_SSLProtocolTransport" and module_of(type(thing)) == MODULE


def tls_protocol(thing: Any) -> Any:
    """What carries the TLS of such a transport; it has the transport below it."""
    return next((i for i in gc.get_referents(thing) if type_name(i) == "SSLProtocol"), None)


def peer(transport: Any) -> Any:
    """Peer address of one of uvloop's transports, or None."""
    return _own(transport, "get_extra_info", "peername")


def local(transport: Any) -> Any:
    """Own address of one of uvloop's transports, or None."""
    return _own(transport, "get_extra_info", "sockname")


def sock(transport: Any) -> Any:
    """What one of uvloop's transports shows as its socket, or None."""
    found = _own(transport, "get_extra_info", "socket")
    return found if is_socket(found) else None


def is_socket(thing: Any) -> bool:
    """True for what uvloop's transports show as their sockets."""
    return type_name(thing) == "PseudoSocket" and module_of(type(thing)) == MODULE


def child(transport: Any) -> int | None:
    """Process id of the child behind one of uvloop's process transports, or None."""
    found = _own(transport, "get_pid")
    return found if type(found) is int else None


def unsent(transport: Any) -> int | None:
    """Bytes that one of uvloop's transports has not sent yet."""
    found = _own(transport, "get_write_buffer_size")
    return found if type(found) is int else None


def _own(transport: Any, name: str, *arguments: Any) -> Any:
    """Call a method of uvloop's class, whatever a subclass made of it."""
    for base in mro(type(transport)):
        if module_of(base) == MODULE and name in space(base):
            try:
                return space(base)[name](transport, *arguments)
            except Exception:
                return None  # it is closed
    return None
