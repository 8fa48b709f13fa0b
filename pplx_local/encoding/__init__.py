"""Texts to vectors in a child process, so that a crash there costs a retry only."""

from pplx_local.encoding.client import EncoderWorker
from pplx_local.encoding.session import EncodedQuery, Session, WorkerInfo

__all__ = ["EncodedQuery", "EncoderWorker", "Session", "WorkerInfo"]
