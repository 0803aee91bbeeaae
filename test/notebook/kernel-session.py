"""A session with the kernel for kernel.test.ts. Its one argument is a list of steps, as JSON:

{"run": [codes], "goOn": true}   sends the cells together, and waits for all of them; goOn: errors do not stop the rest
{"interrupt": code, "at": text}  sends one cell, interrupts it when it has printed the text, and waits for its end
{"end": code, "at": text, "by": how}  sends one cell, and ends the kernel when it has printed the text: "request", as
                                 Jupyter does it, or "signal", SIGTERM to its process alone. The last step.
{"late": code, "at": text, "then": code}  interrupts the first as above, but the process beside the kernel that tells of
                                 interrupts hears of it when the second cell has printed the text

For each step a line of JSON on standard output: the cells' replies, texts and execution states in their order.
"""

import json
import os
import signal
import sys
import time

from jupyter_client.manager import KernelManager

SECONDS = 20

manager = KernelManager(kernel_name="cascade")
manager.start_kernel()
client = manager.client()
client.start_channels()
client.wait_for_ready(timeout=SECONDS)


def follow(ids, at=None, act=manager.interrupt_kernel):
    """Waits until each of the requests has its reply and is idle; acts when one has printed the text."""
    cells = {id: {"status": "no answer", "text": ""} for id in ids}
    states, idle = [], set()
    end = time.monotonic() + SECONDS
    while len(idle) < len(ids) and time.monotonic() < end and manager.is_alive():
        try:
            message = client.get_iopub_msg(timeout=0.2)
        except Exception:
            continue
        id, kind, content = message["parent_header"].get("msg_id"), message["msg_type"], message["content"]
        if id not in cells:
            continue
        if kind == "error":
            cells[id]["text"] += "\n".join(content["traceback"]) + "\n"
        if kind == "display_data":
            cells[id]["text"] += content["data"].get("text/plain", "") + "\n"
        if kind == "stream":
            cells[id]["text"] += content["text"]
            if at is not None and at in cells[id]["text"]:
                at = None
                act()
        if kind == "status":
            states.append([ids.index(id), content["execution_state"]])
            if content["execution_state"] == "idle":
                idle.add(id)
    for _ in idle:
        reply = client.get_shell_msg(timeout=SECONDS)
        while reply["parent_header"]["msg_id"] not in cells:
            reply = client.get_shell_msg(timeout=SECONDS)
        cells[reply["parent_header"]["msg_id"]]["status"] = reply["content"]["status"]
    return {"cells": list(cells.values()), "states": states, "alive": manager.is_alive()}


def end_by_signal():
    os.kill(manager.provisioner.pid, signal.SIGTERM)


def bell():
    """The process that stands beside the kernel (lib/setup/kernel/interrupt-watcher.mjs)."""
    kernel = str(manager.provisioner.pid)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                name, fields = file.read().rsplit(")", 1)
        except OSError:
            continue
        if fields.split()[1] == kernel and name.endswith("(sh"):
            return int(pid)
    raise LookupError("the kernel has no shell beside it")


for step in json.loads(sys.argv[1]):
    if "run" in step:
        result = follow([client.execute(code, stop_on_error=not step.get("goOn", False)) for code in step["run"]])
    elif "end" in step:
        end = manager.shutdown_kernel if step["by"] == "request" else end_by_signal
        result = follow([client.execute(step["end"])], step["at"], end)
    elif "late" in step:
        pid = bell()
        os.kill(pid, signal.SIGSTOP)
        result = follow([client.execute(step["late"])], step["at"])
        after = follow([client.execute(step["then"])], step["at"], lambda: os.kill(pid, signal.SIGCONT))
        result["cells"] += after["cells"]
    else:
        result = follow([client.execute(step["interrupt"])], step["at"])
    print(json.dumps(result), flush=True)
if manager.is_alive():
    manager.shutdown_kernel()
