#!/usr/bin/env python3
"""confined.py UNIT PROGRAM [ARGUMENT...]: the program with what a systemd unit forbids: system calls, address families, memory that is
written and run.  As systemd does it, but without systemd as the first process; who does what is forbidden is killed (SIGSYS)."""
import ctypes
import errno
import functools
import os
import platform
import re
import struct
import subprocess
import sys

LOAD, EQUAL, SET, AND, RETURN = 0x20, 0x15, 0x45, 0x54, 0x06  # of classic BPF
NUMBER, ARCH, ARGUMENTS = 0, 4, 16  # struct seccomp_data
ALLOW, KILL, ERROR = 0x7FFF0000, 0x80000000, 0x00050000
X86_64, PROT_WRITE, PROT_EXEC = 0xC000003E, 2, 4
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}


def is_possible():
    return platform.machine() == "x86_64"


@functools.cache
def sets():
    """Of system calls, by name."""
    found, name = {}, None
    for line in subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True, text=True, check=True).stdout.splitlines():
        if line.startswith("@"):
            name = line.strip()
            found[name] = []
        elif line.strip() and not line.strip().startswith("#") and name:
            found[name].append(line.strip())
    return found


def calls(name):
    if not name.startswith("@"):
        return {name}
    return set().union(*(calls(part) for part in sets()[name]))


def numbers():
    with open("/usr/include/x86_64-linux-gnu/asm/unistd_64.h") as header:
        return {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)", header.read())}


def read_unit(path):
    """What may be called, of which families, and whether memory may not be written and run."""
    allowed, families, guarded = set(), [], False
    with open(path) as unit:
        for line in unit:
            key, _, value = line.strip().partition("=")
            if key == "SystemCallFilter":
                which = set().union(*(calls(word) for word in value.lstrip("~").split()))
                allowed = allowed - which if value.startswith("~") else allowed | which
            elif key == "RestrictAddressFamilies":
                families = value.split()
            elif key == "MemoryDenyWriteExecute":
                guarded = value == "yes"
    return allowed, [FAMILIES[word] for word in families], guarded


def step(code, value, yes=0, no=0):
    return struct.pack("HBBI", code, yes, no, value)


def for_call(number, *steps):
    """Those steps for this call; they end it."""
    assert len(steps) < 256
    return [step(EQUAL, number, 0, len(steps)), *steps]


def program(allowed, families, guarded):
    known = numbers()
    steps = [step(LOAD, ARCH), step(EQUAL, X86_64, 1, 0), step(RETURN, KILL), step(LOAD, NUMBER)]
    if families:
        checks = [part for family in families for part in (step(EQUAL, family, 0, 1), step(RETURN, ALLOW))]
        steps += for_call(known["socket"], step(LOAD, ARGUMENTS), *checks, step(RETURN, ERROR | errno.EAFNOSUPPORT))
    if guarded:
        refuse, both = step(RETURN, ERROR | errno.EPERM), PROT_WRITE | PROT_EXEC
        steps += for_call(known["mprotect"], step(LOAD, ARGUMENTS + 16), step(SET, PROT_EXEC, 0, 1), refuse, step(RETURN, ALLOW))
        steps += for_call(known["mmap"], step(LOAD, ARGUMENTS + 16), step(AND, both), step(EQUAL, both, 0, 1), refuse, step(RETURN, ALLOW))
    for name in sorted(allowed & known.keys()):
        steps += for_call(known[name], step(RETURN, ALLOW))
    if allowed:
        steps.append(step(RETURN, KILL))
    else:  # a unit that restricts no calls
        steps.append(step(RETURN, ALLOW))
    return steps


def confine(path):
    steps = program(*read_unit(path))
    code = ctypes.create_string_buffer(b"".join(steps))
    head = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.c_char_p(head), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


if __name__ == "__main__":
    confine(sys.argv[1])
    os.execv(sys.argv[2], sys.argv[2:])
