"""Speed, always as the same work done two ways in one run on one machine."""

from pplx_local.bench.cuda import measure_cuda
from pplx_local.bench.encode import measure_encode
from pplx_local.bench.index import measure_index
from pplx_local.bench.interface import measure_interface
from pplx_local.bench.read import measure_read
from pplx_local.bench.result import BenchResult, BenchRow
from pplx_local.bench.search import measure_search
from pplx_local.bench.start import measure_start

__all__ = [
    "BenchResult",
    "BenchRow",
    "measure_cuda",
    "measure_encode",
    "measure_index",
    "measure_interface",
    "measure_read",
    "measure_search",
    "measure_start",
]
