"""What a child may not do: the limits it puts on itself before it sees a stranger's file.

Resource limits always hold. Namespaces, Landlock and seccomp are taken where the kernel offers
them; `confine` says which are in force, so that `darkroom doctor` can tell. Nothing here needs a
library: the system is called through ctypes.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import signal
import stat
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 1, 38, 22
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
NICENESS = 10
DESCRIPTORS = 64
# What video encoders open: render nodes draw and code but show nothing on a screen.
_GRAPHICS = ("dri/renderD*", "nvidia[0-9]*", "nvidiactl", "nvidia-uvm")
_NVIDIA_SPACE = 256 << 30  # address space that CUDA reserves without using it


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of address space and of any one written file that a child may use."""

    memory: int = 2 << 30
    file_size: int = 8 << 30  # a long film


def confine(
    limits: Limits, writable: Sequence[Path], devices: Sequence[Path] = ()
) -> dict[str, bool]:
    """Limit this process for good; writing stays possible below these folders only, and to
    these `devices`.

    Returns which protections are in force. Call it single-threaded and before any media is read:
    a thread that exists already would keep its freedom.
    """
    _limit_resources(limits, needs_space=any("nvidia" in device.name for device in devices))
    libc = ctypes.CDLL(None, use_errno=True)
    in_force = {
        "no-new-privileges": libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0,
        "network-namespace": _leave_network(libc),
        "landlock": _restrict_writing(libc, writable, devices),
    }
    in_force["seccomp"] = _filter_calls(libc)  # last: it may forbid what the others need
    return in_force


def graphics_devices(root: Path = Path("/dev")) -> list[Path]:
    """The devices that hardware video encoders need, where there are any."""
    found = sorted(path for pattern in _GRAPHICS for path in root.glob(pattern))
    return [path for path in found if not path.is_symlink() and stat.S_ISCHR(path.stat().st_mode)]


def die_with_parent(parent: int) -> None:
    """Be killed when the core ends, however it ends; exit at once if it already has."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def allow_cpu_seconds(seconds: int) -> None:
    """From now on at most `seconds` more of CPU time; the kernel kills the process beyond it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + seconds + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (_at_most(soft, hard), hard))


def _limit_resources(limits: Limits, *, needs_space: bool) -> None:
    """Where a program that is started may need space it does not use (`ffmpeg.run`), memory that
    can be written to is limited for good, and address space until somebody asks for more.
    """
    if needs_space:
        _lower(resource.RLIMIT_DATA, limits.memory)
        _lower(resource.RLIMIT_AS, _NVIDIA_SPACE)
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (_at_most(limits.memory, hard), hard))
    else:
        _lower(resource.RLIMIT_AS, limits.memory)
    _lower(resource.RLIMIT_FSIZE, limits.file_size)
    _lower(resource.RLIMIT_NOFILE, DESCRIPTORS)
    _lower(resource.RLIMIT_CORE, 0)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)


def _lower(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    value = _at_most(value, hard)
    resource.setrlimit(which, (value, value))


def _at_most(value: int, hard: int) -> int:
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


def _leave_network(libc: ctypes.CDLL) -> bool:
    """An own, empty network namespace; an own user namespace too where that is the way to it.

    Root goes without the user namespace: inside one it could no longer read the family's files.
    """
    if os.geteuid() == 0:
        return bool(libc.unshare(_CLONE_NEWNET) == 0)
    return bool(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0)


# --- Landlock (linux/landlock.h); the numbers of its calls are the same everywhere --------------

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_WRITE_FILE, _REMOVE_DIR, _REMOVE_FILE = 1 << 1, 1 << 4, 1 << 5
_MAKE_DIR, _MAKE_REG, _MAKE_SPECIAL = 1 << 7, 1 << 8, 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12
_REFER, _TRUNCATE = 1 << 13, 1 << 14  # since ABI 2 and ABI 3
_TCP = 0b11  # bind and connect, since ABI 4
_SCOPES = 0b11  # abstract sockets and signals, since ABI 6


def _restrict_writing(libc: ctypes.CDLL, writable: Sequence[Path], devices: Sequence[Path]) -> bool:
    abi = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if abi < 1:
        return False
    newer = (_REFER if abi >= 2 else 0) | (_TRUNCATE if abi >= 3 else 0)
    plain = _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | newer
    rules = _create_ruleset(libc, abi, plain | _MAKE_SPECIAL)
    if rules < 0:
        return False
    try:
        for folder in writable:
            _allow(libc, rules, folder, plain)
        _allow(libc, rules, Path(os.devnull), _WRITE_FILE | (_TRUNCATE & newer))
        for device in devices:
            _allow(libc, rules, device, _WRITE_FILE)
        return bool(libc.syscall(_RESTRICT_SELF, rules, 0) == 0)
    finally:
        os.close(rules)


def _create_ruleset(libc: ctypes.CDLL, abi: int, handled: int) -> int:
    attributes = struct.pack("=QQQ", handled, _TCP if abi >= 4 else 0, _SCOPES if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    return int(libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), 0))


def _allow(libc: ctypes.CDLL, rules: int, path: Path, access: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        libc.syscall(_ADD_RULE, rules, 1, struct.pack("=Qi", access, descriptor), 0)
    finally:
        os.close(descriptor)


# --- seccomp: calls no decoder needs ------------------------------------------------------------

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# socket, ptrace, process_vm_readv, process_vm_writev, io_uring_setup, bpf, perf_event_open, keyctl
_DENIED = {
    "x86_64": (41, 101, 310, 311, 425, 321, 298, 250),
    "aarch64": (198, 117, 270, 271, 425, 280, 241, 219),
}
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # BPF_LD|W|ABS, JEQ|K, JGE|K, RET|K
_ALLOW, _DENY, _KILL = 0x7FFF0000, 0x00050001, 0x80000000  # deny: the call answers EPERM
_X32 = 0x40000000  # numbers of the x32 ABI, which would slip past the list


def _filter_calls(libc: ctypes.CDLL) -> bool:
    machine = platform.machine()
    if machine not in _DENIED:
        return False
    program = _program(_AUDIT_ARCH[machine], _DENIED[machine])
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    return bool(libc.prctl(_PR_SET_SECCOMP, 2, header, 0, 0) == 0)


def _program(arch: int, denied: tuple[int, ...]) -> bytes:
    """A BPF program: foreign architectures are killed, `denied` calls answer EPERM."""
    count = len(denied)
    steps = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, count + 1, 0, _X32),
        *((_EQUAL, count - index, 0, number) for index, number in enumerate(denied)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _DENY),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
