"""python-stdnum over a file of codes, one a line: the fastest of two runs, and its answers as a text of 0 and 1."""

import json
import resource
import sys
import time
from pathlib import Path

import stdnum
from stdnum.cn import uscc

codes = Path(sys.argv[1]).read_text(encoding="ascii").split("\n")
seconds = []
for _ in range(2):
    started = time.perf_counter()
    answers = [uscc.is_valid(code) for code in codes]
    seconds.append(time.perf_counter() - started)
figures = {
    "seconds": min(seconds),
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    "version": stdnum.__version__,
    "answers": "".join("1" if answer else "0" for answer in answers),
}
print(json.dumps(figures))
