"""The stall probe: heartbeat, sampler, classification, ring of stalls."""

from asyncconsole.stall.probe import Probe

__all__ = ["Probe"]
