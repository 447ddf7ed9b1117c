"""How and where a benchmark ran: command, versions, processor, threads. No host name, nothing finer than a day."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import shlex
import sys
from pathlib import Path

import torch

import ddtheory

PACKAGES = ("torch", "numpy", "curvlinops-for-pytorch")


def environment(device: str = "cpu") -> dict[str, object]:
    """Everything a reader needs to judge the numbers."""
    return {
        "day": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {"ddtheory": ddtheory.__version__} | {name: version(name) for name in PACKAGES},
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 1),
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
    }


def command() -> str:
    """This run, as it is typed in a checkout."""
    return shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])


def version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def processor() -> str:
    """The processor's name; on Linux from the kernel, since `platform` is silent there."""
    table = Path("/proc/cpuinfo")
    if table.exists():
        for line in table.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


if __name__ == "__main__":
    for key, value in environment("cuda" if torch.cuda.is_available() else "cpu").items():
        print(f"{key}: {value}")
