"""Value pools of the sample-data domain, built by combination so that held-out values stay plentiful."""

from __future__ import annotations

from fgbuild.domains.scenario import belongs_to_eval

FORMATS = ("csv", "json", "parquet")
FORMAT_TITLES = {"csv": "CSV", "json": "JSON", "parquet": "Parquet"}

_NOUNS = (
    "users", "orders", "payments", "products", "customers", "invoices", "events", "sessions", "tickets", "reviews",
    "shipments", "employees", "accounts", "bookings", "devices", "sensors", "patients", "vendors", "stores",
    "returns", "students", "courses", "flights", "messages", "contracts", "leads", "logins", "readings", "refunds",
    "subscriptions",
)  # fmt: skip
_QUALIFIERS = ("raw", "daily", "web", "staging", "old", "eu", "test", "monthly", "archived", "open", "dim", "fact")

TABLES = _NOUNS + tuple(f"{qualifier}_{noun}" for qualifier in _QUALIFIERS for noun in _NOUNS)
"""Table names: plain, and with a qualifier in front."""

_FOLDERS = (
    "data", "fixtures", "samples", "tests/fixtures", "exports", "data/raw", "seeds", "data/2024", "tmp", "input",
    "assets/data", "warehouse/landing",
)  # fmt: skip
_EXTENSIONS = ("csv", "json", "parquet", "jsonl", "tsv")

_ALL_PATHS = (
    *(
        f"{folder}/{noun}.{_EXTENSIONS[(i + j) % len(_EXTENSIONS)]}"
        for i, folder in enumerate(_FOLDERS)
        for j, noun in enumerate(_NOUNS)
    ),
    *(f"{noun}.{extension}" for noun in _NOUNS for extension in _EXTENSIONS[:3]),
    *(f"data/{table}.csv" for table in TABLES[len(_NOUNS) :]),
)


def table_of(path: str) -> str:
    """The table name that infer_schema gives a file: its name without folders and extension."""
    return path.rsplit("/", 1)[-1].split(".")[0]


PATHS = tuple(path for path in _ALL_PATHS if belongs_to_eval(path) == belongs_to_eval(table_of(path)))
"""Data files of every usual format, nested and at the top level.

Only those of the same split as the table that is named after them: a held-out file does not bring
a trained table.
"""

PERSONAL = {
    "email address": ("email", "user_email", "contact_email", "mail", "email_address", "billing_email"),
    "phone number": ("phone", "phone_number", "mobile", "contact_phone", "tel", "home_phone"),
    "birthday": ("birthday", "birth_date", "date_of_birth", "dob", "born_on", "birthdate"),
    "home address": ("address", "street", "home_address", "address_line", "street_address", "postal_address"),
    "last name": ("last_name", "surname", "family_name", "lastname", "customer_surname", "contact_last_name"),
}
"""Kinds of personal data, as a request names them, and the columns that may hold them."""

_SUBJECTS = (
    "customer", "user", "employee", "owner", "patient", "contact", "sender", "guest", "driver", "student",
    "buyer", "seller", "author", "tenant", "member",
)  # fmt: skip
_DETAILS = ("name", "email", "phone", "address", "city", "birthday", "iban", "ssn", "ip", "nickname", "notes", "zip")
_PERSONAL_COLUMNS = tuple(column for group in PERSONAL.values() for column in group)
_COMBINED_COLUMNS = tuple(f"{subject}_{detail}" for subject in _SUBJECTS for detail in _DETAILS)
COLUMNS = (
    *_PERSONAL_COLUMNS,
    *("name", "full_name", "ip_address", "credit_card", "passport_no", "license_plate", "username", "salary"),
    *(column for column in _COMBINED_COLUMNS if column not in _PERSONAL_COLUMNS),
)
"""Columns that somebody may want masked."""

OTHER_TYPED_COLUMNS = (
    "id int", "created_at date", "status text", "amount float", "country text", "plan text", "score float",
    "quantity int", "updated_at date", "kind text",
)  # fmt: skip
"""Columns that hold nothing personal, with their types."""


def typed(column: str) -> str:
    """A column that may hold personal data, with its type, as infer_schema reports it."""
    if column == "salary":
        return f"{column} int"
    return f"{column} {'date' if column in PERSONAL['birthday'] or column.endswith('_birthday') else 'text'}"


TYPED_COLUMNS = OTHER_TYPED_COLUMNS + tuple(typed(column) for column in COLUMNS[:46])
"""Columns with a type, as infer_schema reports them."""
