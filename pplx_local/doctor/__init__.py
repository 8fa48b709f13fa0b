"""Checks of this computer, the index and the models: what is wrong and what to do."""

from pplx_local.doctor.check import Check
from pplx_local.doctor.examination import examine

__all__ = ["Check", "examine"]
