"""A virtual machine with v4l2loopback in which `tests/camera` runs: `make test-camera`.

Needs Debian or Ubuntu on x86-64, but neither KVM nor root: QEMU emulates the processor, boots the
distribution's kernel over this machine's own files (read-only, with an overlay in memory), loads
v4l2loopback, runs pytest and powers off. Kernel and driver are fetched with apt and built once,
into `build/camera`.
"""

from __future__ import annotations

import argparse
import compileall
import lzma
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "camera"
TOOLS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "cpio": "cpio",
    "modprobe": "kmod",
    "make": "make",
    "gcc": "gcc",
    "dpkg": "dpkg",
    "apt-get": "apt",
}
"""Program -> Debian's package."""
HEADERS = Path("/usr/src")
MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "videodev")
OUTPUT, CAMERA = "/dev/video10", "/dev/video11"
PARAMETERS = "devices=2 video_nr=10,11 card_label=Toonify,TestCam exclusive_caps=1,1 max_buffers=2"
MEMORY, CORES = 3072, 2
LIMIT = 4 * 3600
"""Seconds for the whole machine."""

INIT = """#!/bin/sh
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for module in {modules}; do insmod /modules/$module || echo "cannot load $module"; done
mount -t tmpfs -o size=90% tmpfs /over; mkdir -p /over/upper /over/work
options=trans=virtio,version=9p2000.L,msize=512000
mount -t 9p -o ro,cache=loose,$options host /lower
mount -t overlay -o lowerdir=/lower,upperdir=/over/upper,workdir=/over/work overlay /root
mkdir -p /root/proc /root/sys /root/dev /root/tmp /root{out}
mount -t proc proc /root/proc; mount -t sysfs sys /root/sys; mount -t devtmpfs dev /root/dev
mkdir -p /root/dev/shm; mount -t tmpfs shm /root/dev/shm
mount -t 9p -o rw,cache=none,$options out /root{out}
exec switch_root /root /bin/sh {out}/start
"""
START = """export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C.UTF-8
export OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1 TERM=dumb NO_COLOR=1 COLUMNS=200
export TOONIFY_TEST_CAMERAS={output},{camera} TOONIFY_TEST_DRIVER={quoted_driver}
ip link set lo up 2>/dev/null
echo "Linux $(uname -r): loading v4l2loopback, then pytest"
insmod {driver}
for i in 1 2 3 4 5 6 7 8 9 10; do [ -e {output} ] && break; sleep 0.2; done
cd {root}
export PYTHONPATH={root}
{python} -m pytest -n 0 -p no:cacheprovider -v tests/camera/test_camera.py {arguments}
echo $? > {out}/code
sync; echo o > /proc/sysrq-trigger
while :; do :; done
"""


class MissingError(Exception):
    """Something that the virtual machine needs is not here; says what brings it."""


def main() -> int:
    """Exit code of pytest in the machine; 0 with a notice where there can be no machine."""
    parser = argparse.ArgumentParser(prog="python -m tests.camera.vm", description=__doc__)
    parser.add_argument("--cpu", default="max", help="processor that QEMU emulates")
    parser.add_argument("arguments", nargs="*", help="more for pytest, after --")
    asked = parser.parse_args()
    try:
        release = prepare()
    except MissingError as missing:
        print(f"SKIPPED: the tests with real cameras did not run: {missing}", file=sys.stderr)
        return 0
    return boot(release, asked.cpu, asked.arguments)


def prepare() -> str:
    """Fetch the kernel and build the driver, unless that was done.

    Returns:
        The kernel's release.

    Raises:
        MissingError: a program or a package is not here, or nothing can be fetched.
    """
    if lacking := [package for tool, package in TOOLS.items() if not shutil.which(tool)]:
        raise MissingError(f"run `apt-get install {' '.join(lacking)}` first.")
    headers = sorted(HEADERS.glob("linux-headers-*-amd64")) or sorted(
        HEADERS.glob("linux-headers-*-generic")
    )
    if not headers:
        raise MissingError("run `apt-get install linux-headers-amd64` first (Ubuntu: -generic).")
    release = headers[-1].name.removeprefix("linux-headers-")
    if (BUILD / release / "v4l2loopback.ko").is_file():
        return release
    print(f"Preparing Linux {release} with v4l2loopback (once; some minutes)...", flush=True)
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as name:
        room = Path(name)
        packages = [f"linux-image-{release}", "v4l2loopback-dkms"]
        if "generic" in release:
            packages.append(f"linux-modules-{release}")
        _run(["apt-get", "download", *packages], room)
        for archive in room.glob("*.deb"):
            _run(["dpkg", "-x", str(archive), "system"], room)
        (source,) = (room / "system/usr/src").glob("v4l2loopback-*")
        _run(["make", "-C", str(headers[-1]), f"M={source}", "modules"], room)
        (room / "system/v4l2loopback.ko").write_bytes((source / "v4l2loopback.ko").read_bytes())
        modules = room / "system/lib/modules"
        if not modules.is_dir():  # where /lib is a link to /usr/lib
            modules.parent.mkdir(exist_ok=True)
            modules.symlink_to("../usr/lib/modules")
        _run(["depmod", "-b", "system", release], room)
        shutil.rmtree(BUILD / release, ignore_errors=True)
        (room / "system").rename(BUILD / release)
    return release


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise MissingError(f"`{shlex.join(command)}` failed: {last}")


def boot(release: str, cpu: str, arguments: list[str]) -> int:
    """Run the tests in a machine and show its console.

    Returns:
        pytest's exit code; 1 if the machine ended without one.
    """
    for package in ("engines", "realtime", "tests"):  # in there it would take a minute
        compileall.compile_dir(ROOT / package, quiet=2)
    system = BUILD / release
    driver = f"{system}/v4l2loopback.ko {PARAMETERS}"
    with tempfile.TemporaryDirectory(prefix="toonify-camera-") as name:
        out = Path(name)
        start = START.format(
            output=OUTPUT, camera=CAMERA, driver=driver, quoted_driver=shlex.quote(driver),
            root=shlex.quote(str(ROOT)), python=shlex.quote(sys.executable), out=out,
            arguments=shlex.join(arguments),
        )  # fmt: skip
        (out / "start").write_text(start)
        (out / "initrd").write_bytes(_initial_system(system, release, out))
        share = "local,security_model=none,multidevs=remap"
        command = [
            "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", cpu, "-smp", str(CORES),
            "-m", str(MEMORY), "-nographic", "-no-reboot", "-nic", "none", "-serial", "stdio",
            "-monitor", "none",
            "-kernel", str(system / f"boot/vmlinuz-{release}"), "-initrd", str(out / "initrd"),
            "-append", "console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off no_timer_check",
            "-virtfs", f"{share},path=/,mount_tag=host,readonly=on",
            "-virtfs", f"{share},path={out},mount_tag=out",
        ]  # fmt: skip
        try:
            subprocess.run(command, stdin=subprocess.DEVNULL, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            print(f"The virtual machine did not end within {LIMIT} s.", file=sys.stderr)
        code = out / "code"
        return int(code.read_text()) if code.is_file() else 1


def _initial_system(system: Path, release: str, out: Path) -> bytes:
    """What the kernel starts with: busybox, and the modules that reach this machine's files."""
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        for folder in ("bin", "dev", "proc", "sys", "root", "lower", "over", "modules"):
            (room / folder).mkdir()
        busybox = shutil.which("busybox")
        assert busybox  # `prepare` looked
        shutil.copy(busybox, room / "bin/busybox")
        for tool in ("sh", "mount", "insmod", "mkdir", "switch_root", "echo"):
            (room / "bin" / tool).symlink_to("busybox")
        names = []
        for path in _with_dependencies(system, release):
            name = path.name.removesuffix(".xz")
            data = path.read_bytes()
            (room / "modules" / name).write_bytes(
                lzma.decompress(data) if path.suffix == ".xz" else data
            )
            names.append(name)
        init = room / "init"
        init.write_text(INIT.format(modules=" ".join(names), out=out))
        init.chmod(0o755)
        files = "\n".join(str(path.relative_to(room)) for path in sorted(room.rglob("*")))
        return subprocess.run(
            ["cpio", "-o", "-H", "newc", "--quiet"],
            cwd=room, input=files.encode(), stdout=subprocess.PIPE, check=True,
        ).stdout  # fmt: skip


def _with_dependencies(system: Path, release: str) -> list[Path]:
    """The files of `MODULES` and of what they need, in the order in which they load."""
    found: dict[Path, None] = {}
    for module in MODULES:
        lines = subprocess.run(
            ["modprobe", "-S", release, "-d", str(system), "--show-depends", module],
            capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"},
        ).stdout  # fmt: skip
        for line in lines.splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "insmod":
                found[Path(rest.split()[0])] = None
    return list(found)


if __name__ == "__main__":
    sys.exit(main())
