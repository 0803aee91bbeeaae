"""Runs one notebook for lib/notebook/run.ts.

The argument is a folder of this run alone, which the caller removes; Jupyter keeps its files there. The first line of
standard input is the request: {"notebook": ..., "timeout": seconds or null}. Standard output
gets one JSON object a line: {"cell": index} as each code cell begins, and at last one of {"notebook": text},
{"failed": index, "kind": "error" | "timeout" | "died" | "skipped", "error": text} and {"left": "error" | "work",
"error": text}: code that no cell waited for failed, or did not end. Standard input stays open for as long as the
caller lives; at its end the kernel is killed and this process ends too.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
import threading
import time

# Python tries its folder for temporary files by a file in it, which a kill would leave there.
tempfile.tempdir = sys.argv[1]

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbclient.util import ensure_async

KERNEL = "cascade"
# Seconds that what no cell waited for gets after the last cell, where a cell has no limit of its own.
SECONDS_AFTER_LAST_CELL = 60
# The exit code of lib/setup/kernel/launch.mjs where such code has failed.
UNHEARD_ERRORS = 70

# The kernel, and programs that cells start, may write to standard output: the events go to the caller alone.
events = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


# The home folder may not be writable, and what is set there is of no concern here.
folder = sys.argv[1]
for name in ("CONFIG", "DATA", "RUNTIME"):
    os.environ[f"JUPYTER_{name}_DIR"] = os.path.join(folder, name.lower())
os.environ["IPYTHONDIR"] = os.path.join(folder, "ipython")


def end(code):
    """Ends this process at once: the thread that waits for the caller's end is not to be waited for."""
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(code)


def tell(**event):
    print(json.dumps(event), file=events, flush=True)


class Skipped(Exception):
    """The kernel passed over a cell."""


def end_with_caller(client):
    sys.stdin.buffer.read()
    process = getattr(getattr(client.km, "provisioner", None), "process", None)
    if process is not None:
        process.kill()
    end(1)


def error_text(cell):
    """What the cell printed to standard error, and then the error itself."""
    texts = {"stream": lambda output: output.text if output.name == "stderr" else "", "error": traceback}
    return "".join(texts.get(output.output_type, lambda _: "")(output) for output in cell.outputs).strip()


def traceback(output):
    return "\n".join(output.traceback)


async def execute(client, kernel_errors):
    """Executes all cells, then waits until nothing is left to do; returns what did not end well, as an event."""
    client.reset_execution_trackers()
    env = {**os.environ, "CASCADE_KERNEL_ENDS": "when idle"}
    async with client.async_setup_kernel(stderr=kernel_errors, env=env):
        information = await client.async_wait_for_reply(await ensure_async(client.kc.kernel_info()))
        client.nb.metadata["language_info"] = information["content"]["language_info"]
        for index, cell in enumerate(client.nb.cells):
            await client.async_execute_cell(cell, index, execution_count=client.code_cells_executed + 1)
        return await end_when_idle(client, kernel_errors)


async def end_when_idle(client, kernel_errors):
    """Code that no cell waited for goes on after the last cell: asked to end, the kernel does so when it has ended."""
    process = client.km.provisioner.process
    client.kc.shutdown()
    deadline = time.monotonic() + (client.timeout or SECONDS_AFTER_LAST_CELL)
    while await ensure_async(client.km.is_alive()):
        if time.monotonic() > deadline:
            client.shutdown_kernel = "immediate"
            return {"left": "work", "error": ""}
        await asyncio.sleep(0.02)
    return {"left": "error", "error": content(kernel_errors)} if process.poll() == UNHEARD_ERRORS else None


def content(file):
    file.seek(0)
    return file.read().strip()


def main():
    request = json.loads(sys.stdin.buffer.readline().decode("utf-8"))
    notebook = nbformat.reads(json.dumps(request["notebook"]), as_version=4)
    position = {"cell": 0}

    def begin(cell, cell_index):
        if cell.cell_type == "code":
            position["cell"] = cell_index
            tell(cell=cell_index)

    def check(cell, cell_index, execute_reply):
        if execute_reply["content"]["status"] not in ("ok", "error"):
            raise Skipped

    client = NotebookClient(
        notebook,
        kernel_name=KERNEL,
        timeout=request["timeout"],
        on_cell_start=begin,
        on_cell_executed=check,
        record_timing=False,
    )
    threading.Thread(target=end_with_caller, args=[client], daemon=True).start()

    def failed(kind, error):
        tell(failed=position["cell"], kind=kind, error=error)

    kernel_errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
    try:
        left = asyncio.run(execute(client, kernel_errors))
    except CellExecutionError as error:
        return failed("error", error_text(notebook.cells[position["cell"]]) or str(error))
    except CellTimeoutError:
        return failed("timeout", "")
    except DeadKernelError as error:
        return failed("died", content(kernel_errors) or str(error))
    except Skipped:
        return failed("skipped", "")
    except RuntimeError as error:
        # The kernel did not start. At an ordinary exit nbclient would clean up again, fail, and hide the reason.
        print(content(kernel_errors), error, sep="\n", file=sys.stderr, flush=True)
        end(1)
    if left is not None:
        return tell(**left)
    tell(notebook=nbformat.writes(notebook) + "\n")


main()
end(0)
