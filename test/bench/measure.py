"""measure.py COMMAND [ARGUMENT]...: runs a command and writes {"status", "wallMs", "cpuMs", "peakRssBytes"} as JSON to
file descriptor 3. CPU and memory count the command and every descendant that it waited for; the peak is that of the
largest single process (getrusage(2), ru_maxrss). Variables that tell Node to do more at its start than it does by itself
are not handed on: reading the certificates of NODE_EXTRA_CA_CERTS alone takes longer than starting."""
import json, os, sys, time

environment = {name: value for name, value in os.environ.items() if name not in ("NODE_EXTRA_CA_CERTS", "NODE_OPTIONS")}
start = time.monotonic_ns()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], environment, file_actions=[(os.POSIX_SPAWN_CLOSE, 3)])
_, wait_status, usage = os.wait4(pid, 0)
wall_ms = (time.monotonic_ns() - start) / 1e6
result = {
    "status": os.waitstatus_to_exitcode(wait_status),
    "wallMs": wall_ms,
    "cpuMs": (usage.ru_utime + usage.ru_stime) * 1e3,
    "peakRssBytes": usage.ru_maxrss * 1024,
}
os.write(3, json.dumps(result).encode())
