"""The Temporal server: one way to connect, one way to start a demand's workflow."""

from gateways.temporal.client import UNREACHABLE, connect, connect_patiently
from gateways.temporal.starts import start_demand

__all__ = ["UNREACHABLE", "connect", "connect_patiently", "start_demand"]
