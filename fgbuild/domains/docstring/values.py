"""Value pools of the docstring domain, built by combination so that held-out values stay plentiful."""

from __future__ import annotations

STYLE_TITLES = {"google": "Google", "numpy": "NumPy", "sphinx": "Sphinx"}

MODULES = (
    "config", "client", "parser", "utils", "models", "cache", "loader", "router", "session", "tokens",
    "report", "billing", "search", "queue", "auth", "storage", "metrics", "schema", "events", "worker",
    "geometry", "mailer", "plugins", "retry", "signals", "pricing", "csv_reader", "io_helpers", "date_utils",
    "http_client", "text_tools", "db_session",
)  # fmt: skip
_FOLDERS = (
    "src", "lib", "app", "core", "src/api", "src/core", "app/services", "backend", "tools", "pkg/data",
    "server/handlers", "scripts", "mylib", "shop/orders", "ml/training", "common",
)  # fmt: skip

FILES = tuple(
    [f"{folder}/{module}.py" for folder in _FOLDERS for module in MODULES]
    + [f"{module}.py" for module in MODULES]
    + [f"tests/test_{module}.py" for module in MODULES]
)
"""Python files: nested, at the top level, and tests."""

PATHS = (
    FILES
    + tuple(f"{folder}/{module}" for folder in _FOLDERS[:8] for module in MODULES[:12])
    + tuple(f"{folder}/" for folder in _FOLDERS)
)
"""Files and, more rarely, folders."""

_VERBS = (
    "load", "parse", "fetch", "save", "build", "merge", "split", "validate", "render", "send", "update", "find",
    "count", "format", "open", "normalize", "resolve", "read", "write", "encode",
)  # fmt: skip
_OBJECTS = (
    "config", "rows", "page", "token", "user", "invoice", "path", "header", "image", "report", "query", "batch",
    "event", "price", "url", "json_file", "date_range", "cache_key", "log_line", "settings",
)  # fmt: skip
_CLASS_HEADS = (
    "User", "Row", "Http", "Token", "Cache", "Order", "Event", "Data", "Query", "Image", "Job", "Csv", "Retry",
    "Report", "Session", "Price",
)  # fmt: skip
_CLASS_TAILS = ("Loader", "Client", "Parser", "Store", "Manager", "Builder", "Queue", "Writer", "Handler", "Model")
METHOD_NAMES = (
    "run", "close", "get", "put", "reset", "from_dict", "to_json", "refresh", "add_item", "__init__", "flush",
    "read_all", "is_valid", "next_page",
)  # fmt: skip

FUNCTIONS = tuple(f"{verb}_{noun}" for verb in _VERBS for noun in _OBJECTS) + tuple(
    f"_{verb}_{noun}" for verb in _VERBS[:6] for noun in _OBJECTS[:6]
)
CLASSES = tuple(f"{head}{tail}" for head in _CLASS_HEADS for tail in _CLASS_TAILS)
METHODS = tuple(f"{name}.{method}" for name in CLASSES[::3] for method in METHOD_NAMES[::2]) + tuple(
    f"{name}.{method}" for name in CLASSES[1::3] for method in METHOD_NAMES[1::2]
)
QUALIFIED = tuple(f"{module}.{name}" for module in MODULES[:12] for name in FUNCTIONS[::31])

LOCAL = FUNCTIONS + CLASSES + METHODS
"""Names as their own file has them."""

SYMBOLS = LOCAL + QUALIFIED
"""Functions, classes, methods and module-qualified functions."""

_PARAMETERS = (
    "path", "name: str", "limit=10", "timeout: float = 5.0", "rows", "user_id: int", "strict=False", "*args",
    "key: str", "data: bytes",
)  # fmt: skip
_RETURNS = ("None", "str", "int", "bool", "dict", "bytes", "list[str]", "float")
SIGNATURES = (
    tuple(f"({one}) -> {back}" for one in _PARAMETERS for back in _RETURNS)
    + tuple(
        f"({one}, {two}) -> {back}"
        for one in ("path", "name: str", "rows", "key: str")
        for two in ("limit=10", "strict=False", "timeout: float = 5.0")
        for back in _RETURNS
    )
    + tuple(f"() -> {back}" for back in _RETURNS)
)

SUMMARIES = tuple(
    f"{verb} the {noun}."
    for verb in ("Load", "Return", "Check", "Build", "Store", "Send", "Close", "Parse", "Count", "Update")
    for noun in ("settings", "rows", "open session", "next page", "cached value", "user's token", "report")
)
"""First lines of docstrings, as a tool would return them."""

TAILS = (
    "", " from disk", " from the cache", " for one user", " of the current job", " in one go", " without a copy",
    " before the next run", " on the server", " in the background", " step by step", " again", " once a day",
    " when it is needed", " for the report", " by name", " in order", " with the default settings", " for the tests",
    " for later", " of the last week", " as it is", " behind a lock", " if there is one",
)  # fmt: skip
"""How a function's summary goes on after the words of its name."""

STALE = ("filename", "verbose", "encoding", "mode", "retries", "force", "depth", "callback", "prefix", "count")
"""Parameters that docstrings still describe and no function has."""
