"""Pools of paths for the lint domain, spread over the shapes that real projects have."""

from __future__ import annotations

# Prime lengths, so that stepping through both lists at once repeats no pair for 23 × 29 steps.
_PACKAGES = (
    "app", "core", "billing", "auth", "catalog", "orders", "shipping", "search", "reports", "payments", "users",
    "inventory", "events", "gateway", "mailer", "pricing", "scheduler", "storage", "web", "worker", "ingest",
    "metrics", "admin",
)  # fmt: skip
MODULES = (
    "models", "views", "utils", "client", "parser", "cli", "config", "db", "cache", "handlers", "tasks", "schema",
    "export_csv", "loader", "session", "tokens", "routes", "errors", "http2", "validators", "queue_runner",
    "serializers", "signals", "invoice", "date_range", "main", "retry", "permissions", "feature_flags",
)  # fmt: skip


def _spread(template: str, count: int, offset: int = 0) -> list[str]:
    """`count` paths of one shape; the template may use {package}, {inner} and {module}."""
    return [
        template.format(
            package=_PACKAGES[(step + offset) % len(_PACKAGES)],
            inner=_PACKAGES[(step * 3 + offset + 5) % len(_PACKAGES)],
            module=MODULES[(step + 2 * offset) % len(MODULES)],
        )
        for step in range(count)
    ]


def _unique(*groups: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(path for group in groups for path in group))


FILES = _unique(
    _spread("src/{package}/{module}.py", 60),
    _spread("{package}/{module}.py", 40, 3),
    _spread("{module}.py", 24, 1),
    _spread("./{module}.py", 10, 7),
    _spread("./src/{package}/{module}.py", 12, 9),
    _spread("src/{package}/{inner}/{module}.py", 40, 4),
    _spread("tests/test_{module}.py", 24, 2),
    _spread("tests/{package}/test_{module}.py", 20, 6),
    _spread("scripts/{module}.py", 16, 5),
    _spread("backend/{package}/v2/{module}.py", 16, 8),
    _spread("services/{package}-api/{module}.py", 16, 10),
    _spread("{package}/__init__.py", 12, 11),
    _spread("lib/{package}_{inner}.py", 16, 12),
    _spread("tools/{package}/{module}_v3.py", 10, 13),
    ["setup.py", "manage.py", "conftest.py", "docs/conf.py", "noxfile.py", "tests/conftest.py", "wsgi.py"],
)
"""Python files: for tools that work on lines."""

FOLDERS = _unique(
    _spread("src/{package}", 20),
    _spread("{package}", 14, 2),
    _spread("{package}/", 10, 4),
    _spread("src/{package}/{inner}/", 14, 6),
    _spread("tests/{package}", 12, 8),
    _spread("./{package}", 8, 10),
    _spread("services/{package}-api", 12, 12),
    _spread("backend/{package}/v2", 10, 14),
    ["src", "tests", "scripts", "lib/", "tools", "docs", "src/", "./src", "backend", "examples/"],
)
"""Folders: for tools that take a file or a folder."""

TARGETS = FILES + FOLDERS
