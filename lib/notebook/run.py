"""Runs one notebook for lib/notebook/run.ts.

The first line of standard input is the request: {"notebook": ..., "timeout": seconds or null}. Standard output
gets one JSON object a line: {"cell": index} as each code cell begins, and at last one of {"notebook": text} and
{"failed": index, "kind": "error" | "timeout" | "died", "error": text}. Standard input stays open for as long as
the caller lives; at its end the kernel is killed and this process ends too.
"""

import json
import os
import sys
import threading

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

KERNEL = "cascade"


def tell(**event):
    print(json.dumps(event), flush=True)


def end_with_caller(client):
    sys.stdin.read()
    process = getattr(getattr(client.km, "provisioner", None), "process", None)
    if process is not None:
        process.kill()
    os._exit(1)


def error_text(cell):
    streams = [output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stderr"]
    return "".join(streams).strip()


def did_run(cell):
    return cell.cell_type != "code" or not cell.source.strip() or cell.execution_count is not None


def main():
    request = json.loads(sys.stdin.readline())
    notebook = nbformat.reads(json.dumps(request["notebook"]), as_version=4)
    position = {"cell": 0}

    def begin(cell, cell_index):
        if cell.cell_type == "code":
            position["cell"] = cell_index
            tell(cell=cell_index)

    client = NotebookClient(
        notebook, kernel_name=KERNEL, timeout=request["timeout"], on_cell_start=begin, record_timing=False
    )
    threading.Thread(target=end_with_caller, args=[client], daemon=True).start()

    def failed(kind, error):
        tell(failed=position["cell"], kind=kind, error=error)

    try:
        client.execute()
    except CellExecutionError as error:
        # tslab writes errors to standard error and leaves the fields of the protocol empty.
        return failed("error", error_text(notebook.cells[position["cell"]]) or str(error))
    except CellTimeoutError:
        return failed("timeout", "")
    except DeadKernelError as error:
        return failed("died", str(error))
    except RuntimeError as error:
        # The kernel did not start. At an ordinary exit nbclient would clean up again, fail, and hide the reason.
        print(error, file=sys.stderr, flush=True)
        os._exit(1)
    for index, cell in enumerate(notebook.cells):
        if not did_run(cell):
            position["cell"] = index
            return failed("error", "the cell was skipped")
    tell(notebook=nbformat.writes(notebook) + "\n")


main()
# The thread that waits for the caller's end is not to be waited for.
os._exit(0)
