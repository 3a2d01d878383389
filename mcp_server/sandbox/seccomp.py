"""The system calls that no box may make, as a classic BPF program for bubblewrap's --seccomp.

Assembled by hand for x86_64 and aarch64: pyseccomp, the binding of libseccomp in the registry, has been unmaintained
since 2021 and needs the library on the host. The numbers are those of the kernel's asm/unistd_64.h and
asm-generic/unistd.h.
"""

import errno
import platform
import struct

from lineage_repo.errors import SandboxError

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_DENIED = {
    # keyrings, kernel interfaces with a record of escapes, other processes' memory
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    # namespaces and mounts
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsmount": (432, 432),
    "mount_setattr": (442, 442),
    # the host
    "kexec_load": (246, 104),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "acct": (163, 89),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "syslog": (103, 116),
    "quotactl": (179, 60),
    "fanotify_init": (300, 262),
}
_ABSENT = {
    # which pages of a file are in memory: boxes that run one after the other could signal each other with it
    "preadv2": (327, 286),
    "pwritev2": (328, 287),
    "mincore": (27, 232),
    "cachestat": (451, 451),
    "process_madvise": (440, 440),
    "io_setup": (206, 0),
    "io_submit": (209, 2),
}
_IDLE = {"fadvise64": (221, 223), "readahead": (187, 213)}
"""Requests that pages come or go. They are harmless in intent, so they do nothing and report success."""
_MADVISE, _COLD, _PAGEOUT = (28, 233), 20, 21
_CLONE, _CLONE3, _SOCKET = (56, 220), (435, 435), (41, 198)
_UNCOUNTED = {"memfd_create": (319, 279), "shmget": (29, 194)}
"""Calls that make memory which belongs to no process, so polling can't see it."""
_SETSOCKOPT, _SOL_SOCKET, _LINGER = (54, 208), 1, 13
_NEW_NAMESPACES = 0x7E020000
_ALG, _VSOCK = 38, 40

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_X32 = 0x40000000


def program(*, counted: bool, machine: str | None = None) -> bytes:
    """Assemble the filter; `counted` allows memory that only a memory control group can count.

    Raises:
        SandboxError: the processor is neither x86_64 nor aarch64.
    """
    machine = machine or platform.machine()
    if machine not in _MACHINES:
        raise SandboxError(f"no system call filter for {machine}: boxes need x86_64 or aarch64")
    column, architecture = _MACHINES[machine]
    refuse, absent = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS
    steps = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    if machine == "x86_64":
        steps += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, refuse)]
    denied = [numbers[column] for numbers in _DENIED.values()] + (
        [] if counted else [n[column] for n in _UNCOUNTED.values()]
    )
    for number in denied:
        steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, refuse)]
    # clone3 keeps its flags in memory, which a filter can't read: libc falls back to clone.
    for number in (_CLONE3[column], *(n[column] for n in _ABSENT.values())):
        steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, absent)]
    for number in (n[column] for n in _IDLE.values()):
        steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO)]
    steps += [(_EQUAL, 0, 4, _MADVISE[column]), (_LOAD, 0, 0, 32), (_EQUAL, 1, 0, _COLD), (_EQUAL, 0, 1, _PAGEOUT)]
    steps += [(_RETURN, 0, 0, _ERRNO), (_LOAD, 0, 0, 0)]
    steps += [
        (_EQUAL, 0, 4, _CLONE[column]),
        (_LOAD, 0, 0, 16),
        (_ANY_BIT, 0, 1, _NEW_NAMESPACES),
        (_RETURN, 0, 0, refuse),
    ]
    # A lingering socket, passed on, would block the trusted process that closes it: asking for one does nothing.
    steps += [(_LOAD, 0, 0, 0), (_EQUAL, 0, 5, _SETSOCKOPT[column])]
    steps += [(_LOAD, 0, 0, 24), (_EQUAL, 0, 3, _SOL_SOCKET), (_LOAD, 0, 0, 32)]
    steps += [(_EQUAL, 0, 1, _LINGER), (_RETURN, 0, 0, _ERRNO)]
    steps += [(_LOAD, 0, 0, 0)]
    steps += [(_EQUAL, 0, 4, _SOCKET[column]), (_LOAD, 0, 0, 16), (_EQUAL, 1, 0, _VSOCK), (_EQUAL, 0, 1, _ALG)]
    steps += [(_RETURN, 0, 0, refuse), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("<HBBI", *step) for step in steps)
