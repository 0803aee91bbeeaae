"""papermill's parameters for TypeScript notebooks.

Papermill loads the entry point of its group "papermill.engine" (set-up writes it), which loads this module, which
registers how values are written. The engine itself is papermill's own.
"""

import json
import math
import re

from papermill.engines import NBClientEngine
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

DECLARATION = re.compile(
    r"^\s*let\s+(?P<name>[\w$]+)\s*(?::\s*(?P<type>[^=]+?)\s*)?=\s*(?P<default>.+?);?\s*(?://\s*(?P<help>.*))?$",
    re.MULTILINE,
)


class TypeScriptTranslator(Translator):
    """Parameters are declared by `let` in the cell tagged "parameters" and assigned in the one below it."""

    @classmethod
    def translate(cls, val):
        if isinstance(val, float) and not math.isfinite(val):
            return "NaN" if math.isnan(val) else "Infinity" if val > 0 else "-Infinity"
        return json.dumps(val, ensure_ascii=False)

    @classmethod
    def comment(cls, cmt_str):
        return f"// {cmt_str}"

    @classmethod
    def assign(cls, name, str_val):
        return f"{name} = {str_val};"

    @classmethod
    def inspect(cls, parameters_cell):
        return [
            Parameter(found["name"], found["type"] or "None", found["default"], found["help"] or "")
            for found in DECLARATION.finditer(parameters_cell["source"])
        ]


for name in ("cascade", "typescript"):
    papermill_translators.register(name, TypeScriptTranslator)


class TypeScriptEngine(NBClientEngine):
    """Papermill's own way of running a notebook, under a name of its own: --engine cascade."""
