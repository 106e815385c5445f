"""Snapshots to findings. Pure: everything here can be tested from plain data."""

from asyncconsole.diagnose.graph import cancelled_with
from asyncconsole.diagnose.verdict import again, confirm, look, obscure, open_waits

__all__ = ["again", "cancelled_with", "confirm", "look", "obscure", "open_waits"]
