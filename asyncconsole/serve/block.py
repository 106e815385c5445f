"""Typing Python in more than one line: Enter runs what is complete, and goes on where it is not.

For every line editor made of prompt_toolkit, here and in the client.
"""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from asyncconsole.repl.source import unfinished

STEP = "    "


def bind(bindings: KeyBindings, more: Callable[[], bool] = lambda: False) -> KeyBindings:
    """Add the keys of a buffer of several lines.

    Args:
        bindings: Where to.
        more: Whether more keys are on their way: then text is pasted, and brings its own
            indentation.
    """

    @bindings.add("enter")
    def enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if not buffer.document.current_line.strip():
            buffer.delete_before_cursor(len(buffer.document.current_line_before_cursor))
        document = buffer.document
        inside = document.line_count > 1 and bool(document.text_after_cursor.strip())
        if inside or unfinished(document.text):
            pasted = more() or bool(event.key_processor.input_queue)
            buffer.insert_text("\n" if pasted else f"\n{_indentation(document.current_line)}")
        else:
            buffer.validate_and_handle()

    @bindings.add("tab")
    def tab(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text(STEP)

    return bindings


def _indentation(line: str) -> str:
    """What the line after this one begins with."""
    indent = line[: len(line) - len(line.lstrip())]
    return indent + STEP * line.rstrip().endswith(":") if line.strip() else ""


def continuation(width: int, _number: int, _wrapped: int) -> str:
    """The prompt of the second line, and of those after it."""
    return "." * max(1, width - 1) + " "
