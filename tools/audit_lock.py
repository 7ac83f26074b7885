#!/usr/bin/env python3
"""Known vulnerabilities of what a lock holds: `audit_lock.py LOCK` asks pip-audit.

Exit codes: 0 none is known of any package that could be looked up; 1 some is. A database that cannot be
reached is no vulnerability, but is said: nothing was looked up then.
"""

import json
import subprocess
import sys

LONGEST = 180  # seconds


def looked_up(lock: str) -> list[dict]:
    """pip-audit's entries, by package; none where it could not ask."""
    options = ["--disable-pip", "--require-hashes", "--progress-spinner=off", "--format=json"]
    command = [sys.executable, "-m", "pip_audit", *options, "-r", lock]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST)
        return json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return []


def main(lock: str) -> int:
    """Print what is known; 1 if there is a vulnerability."""
    entries = looked_up(lock)
    known = [e for e in entries if "skip_reason" not in e]
    for entry in known:
        for found in entry["vulns"]:
            cure = ", ".join(found["fix_versions"]) or "no version yet"
            print(f"{entry['name']} {entry['version']}: {found['id']}, mended in {cure}")
    if not known:
        print(f"{lock}: not audited, the database of vulnerabilities is out of reach")
    else:
        print(f"{lock}: {len(known)} packages audited, {len(entries) - len(known)} not found")
    return int(any(entry["vulns"] for entry in known))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
