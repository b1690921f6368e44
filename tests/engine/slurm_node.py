"""A SLURM of one node on this machine, from Debian's packages munge, slurmctld, slurmd and slurm-client; without systemd.

It needs root. All that it writes lies in one folder; nothing of an installed SLURM is touched.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo")
CONFIGURATION = """
ClusterName=report
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthInfo=socket={folder}/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=1,batch_sched_delay=0
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
KillWait=2
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=6000 State=UNKNOWN
PartitionName=test Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def find_obstacle() -> str:
    """Return why there can be no node here, "" if there can."""
    if missing := [name for name in PROGRAMS if not shutil.which(name, path=find_path())]:
        return f"SLURM is not installed: no {', '.join(missing)}"
    return "" if os.geteuid() == 0 else "SLURM's daemons are started as root alone"


def find_path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


class SlurmNode:
    """Its daemons, children of this process, and the environment in which its commands find it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.environment = folder, {**os.environ, "SLURM_CONF": f"{folder}/slurm.conf"}
        self.environment["PATH"] = find_path()
        self.daemons: list[subprocess.Popen[bytes]] = []
        for name in ("state", "spool"):
            (folder / name).mkdir()
        key = folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        host = socket.gethostname().partition(".")[0]
        values = {"folder": folder, "host": host, "ports": find_ports(2), "cpus": os.cpu_count()}
        (folder / "slurm.conf").write_text(CONFIGURATION.format(**values))

    def __enter__(self) -> SlurmNode:
        names = {
            "key-file": "key",
            "socket": "socket",
            "pid-file": "pid",
            "seed-file": "seed",
            "log-file": "log",
        }
        self.start(
            "munged", "--foreground", "--force", *(f"--{n}={self.folder}/munge.{e}" for n, e in names.items())
        )
        self.wait((self.folder / "munge.socket").exists)
        self.start("slurmctld", "-D")
        self.start("slurmd", "-D")
        self.wait(lambda: "idle" in self.ask("sinfo", "--noheader", "--format=%T"))
        return self

    def __exit__(self, *error: object) -> None:
        self.ask("scancel", "--user=root")
        self.wait(lambda: not self.ask("squeue", "--noheader"))
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def start(self, *command: str) -> None:
        with (self.folder / f"{command[0]}.log").open("wb") as log:
            self.daemons.append(subprocess.Popen(command, env=self.environment, stdout=log, stderr=log))

    def ask(self, *command: str) -> str:
        """Return what a command of SLURM answers."""
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        ).stdout

    def wait(self, condition, seconds: float = 40.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            tails = {path.name: path.read_text()[-2000:] for path in self.folder.glob("*.log")}
            assert time.monotonic() < end, tails
            time.sleep(0.1)


def find_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
