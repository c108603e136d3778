"""Pools for the test domain: test paths, node ids, keywords and packages."""

from __future__ import annotations

# Prime lengths, so that stepping through several lists at once rarely repeats a combination.
_AREAS = (
    "api", "auth", "billing", "cart", "catalog", "checkout", "cli", "core", "db", "events", "exports", "imports",
    "inventory", "mail", "orders", "payments", "pricing", "reports", "search", "shipping", "storage", "users", "web",
)  # fmt: skip
_SUBJECTS = (
    "login", "logout", "refund", "invoice", "discount", "parser", "retry", "timeout", "cache", "session", "token",
    "webhook", "upload", "download", "pagination", "currency", "tax", "rounding", "unicode", "csv_export",
    "permissions", "rate_limit", "password_reset", "signup", "migration", "rollback", "archive", "filters", "sorting",
)  # fmt: skip
OUTCOMES = (
    "works", "fails_without_user", "returns_none", "is_idempotent", "raises_value_error", "keeps_order",
    "with_empty_input", "handles_404", "round_trip", "rejects_negative", "twice", "for_admin", "logs_warning",
)  # fmt: skip


def _spread(template: str, count: int, offset: int = 0) -> list[str]:
    """`count` values of one shape; the template may use {area}, {inner}, {subject}, {outcome} and {Class}."""
    return [
        template.format(
            area=_AREAS[(step + offset) % len(_AREAS)],
            inner=_AREAS[(step * 3 + offset + 7) % len(_AREAS)],
            subject=_SUBJECTS[(step + 2 * offset) % len(_SUBJECTS)],
            outcome=OUTCOMES[(step + offset) % len(OUTCOMES)],
            Class=_SUBJECTS[(step * 2 + offset) % len(_SUBJECTS)].title().replace("_", ""),
        )
        for step in range(count)
    ]


def _unique(*groups: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for group in groups for value in group))


FILES = _unique(
    _spread("tests/test_{subject}.py", 29),
    _spread("tests/{area}/test_{subject}.py", 60, 1),
    _spread("test_{subject}.py", 24, 3),
    _spread("./tests/test_{area}.py", 14, 5),
    _spread("tests/unit/test_{subject}.py", 29, 4),
    _spread("tests/integration/test_{area}.py", 20, 6),
    _spread("src/{area}/tests/test_{subject}.py", 30, 8),
    _spread("{area}/{subject}_test.py", 24, 9),
    _spread("tests/{area}/{inner}/test_{subject}.py", 24, 10),
    _spread("services/{area}-api/tests/test_{subject}.py", 14, 11),
)

FOLDERS = _unique(
    _spread("tests/{area}", 23),
    _spread("tests/unit/{area}", 18, 2),
    _spread("tests/{area}/", 14, 4),
    _spread("src/{area}/tests", 16, 6),
    _spread("./tests/{inner}/", 10, 8),
    _spread("services/{area}-api/tests", 14, 10),
    _spread("{area}/tests/", 14, 12),
    ["tests", "tests/unit", "tests/integration", "tests/e2e/", "./tests", "test/", "integration_tests", "tests/smoke"],
)

TARGETS = FILES + FOLDERS

NODES = _unique(
    _spread("tests/test_{area}.py::test_{subject}", 60),
    _spread("tests/{area}/test_{inner}.py::test_{subject}_{outcome}", 60, 1),
    _spread("tests/test_{area}.py::Test{Class}::test_{outcome}", 50, 3),
    _spread("test_{subject}.py::test_{outcome}", 30, 2),
    _spread("tests/unit/test_{subject}.py::test_{subject}_{outcome}", 40, 5),
    _spread("src/{area}/tests/test_{subject}.py::test_{outcome}", 30, 7),
)
"""Node ids as pytest prints them: file, perhaps a class, and test."""

NAMES = _unique(_spread("test_{subject}_{outcome}", 29), _spread("test_{subject}", 29), _spread("test_{outcome}", 13))
"""Bare names of test functions."""

KEYWORDS = _unique(
    list(_SUBJECTS),
    _spread("{area}", 23),
    _spread("{subject}_{outcome}", 40, 2),
    ["smoke", "nightly", "happy_path", "edge_case", "regression", "utf8", "ipv6", "leap_year", "concurrent"],
)

PACKAGES = _unique(
    _spread("{area}", 23),
    _spread("app.{area}", 23, 3),
    _spread("{area}.{inner}", 40, 5),
    _spread("src/{area}", 20, 7),
    _spread("acme_{area}", 20, 9),
    _spread("shop.{area}.{inner}", 24, 11),
    _spread("{area}_client", 16, 13),
    _spread("src/{area}/{inner}", 16, 15),
)
