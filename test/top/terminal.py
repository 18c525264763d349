"""Runs a command on a pseudo-terminal, types keys, and prints what came as JSON.

terminal.py COLUMNS ROWS STEPS COMMAND...; STEPS is JSON: [["wait", "text"], ["type", "keys"], ["signal", "SIGTERM"]]
"""
import fcntl, json, os, pty, select, signal, struct, sys, termios, time

columns, rows, steps, command = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4:]
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.execvp(command[0], command)
output = b""
before = termios.tcgetattr(terminal)


def read():
    global output
    if not select.select([terminal], [], [], 0.05)[0]:
        return True
    try:
        chunk = os.read(terminal, 65536)
    except OSError:
        return False
    output += chunk
    return len(chunk) > 0


failed = None
seen = 0
for kind, value in steps:
    if kind == "type":
        os.write(terminal, value.encode())
    elif kind == "signal":
        os.kill(pid, getattr(signal, value))
    elif kind == "stopped":
        # a SIGCONT that comes before the stop would be lost
        end = time.time() + 20
        while failed is None:
            done, code = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
            if done and os.WIFSTOPPED(code):
                break
            if done or time.time() > end or not read():
                failed = kind
    else:
        end = time.time() + 20
        while True:
            at = output.find(value.encode(), seen)
            if at >= 0:
                seen = at + len(value.encode())
                break
            if time.time() > end or not read():
                failed = value
                break
    if failed:
        break
end = time.time() + 10
status = None
while time.time() < end and status is None:
    alive = read()
    done, code = os.waitpid(pid, os.WNOHANG)
    if done:
        while read() and select.select([terminal], [], [], 0)[0]:
            pass
        status = os.waitstatus_to_exitcode(code)
if status is None:
    os.kill(pid, signal.SIGKILL)
try:
    restored = termios.tcgetattr(terminal)[:4] == before[:4]
except termios.error:
    restored = None
print(json.dumps({"status": status, "failed": failed, "restored": restored, "output": output.decode("utf8", "replace")}))
