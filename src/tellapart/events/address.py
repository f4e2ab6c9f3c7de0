"""A source that is no file: the address of a database server, written so that nothing secret in it is ever shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from tellapart.errors import UsageError

SERVER = re.compile(r"https?://")  # a FHIR server
POSTGRES = re.compile(r"postgres(?:ql)?://")


@dataclass(frozen=True)
class Address:
    """The address of a PostgreSQL database.

    Attributes:
        secret: the whole address, as the server's client library takes it; never printed, never stored.
        name: server and database, without user, password and options.
    """

    secret: str = field(repr=False)
    name: str

    def __str__(self) -> str:
        return self.name


Source = Path | Address
"""What can be read: a file, a folder or a database."""


def source_of(text: str) -> Source:
    """The source that a user named.

    Raises:
        UsageError: an address in which a password would be taken for something else, or of a FHIR server.
    """
    if SERVER.match(text):
        raise UsageError(
            f"{text.partition('?')[0]}: a FHIR server is asked in bulk, by: tellapart audit https://... --client key.json"
        )
    if not POSTGRES.match(text):
        return Path(text)
    place = POSTGRES.sub("", text).split("?", 1)[0]
    server, slash, database = place.partition("/")
    if "@" in database or "#" in place or re.search(r"\s", text):
        raise UsageError(
            "The postgresql:// address cannot be understood. Write postgresql://USER@SERVER:5432/DATABASE, with % codes for "
            "special characters (/ is %2F, @ is %40, # is %23, a blank %20); a password is better kept in ~/.pgpass or PGPASSWORD."
        )
    return Address(text, f"postgresql://{server.rpartition('@')[2]}{slash}{database}")
