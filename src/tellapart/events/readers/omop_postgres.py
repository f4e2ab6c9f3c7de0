"""The tables of an OMOP CDM on a PostgreSQL server.

Every query of the reader runs on the server, in one read-only transaction: all tables are seen as of one moment, and only
rows that say something travel. They come as Arrow by ADBC's COPY, in pieces, and are put in an order of their own, because
a server promises none.
"""

from __future__ import annotations

import re
from typing import Any

import duckdb

from tellapart.engines.duckdb import DuckDB
from tellapart.errors import InputError, UsageError
from tellapart.events.address import Address
from tellapart.events.readers.omop_cdm import BAD
from tellapart.events.readers.omop_tables import NAMES

EXPECTED = ("condition_occurrence", "measurement", "observation", "drug_exposure")
"""Tables that every CDM on a server has, be they empty: one that is not there is rather hidden than left out."""

OFF_PATH = 1_000_000
HELD = f"""
select n.nspname as place, c.relname as name, has_table_privilege(c.oid, 'select') as may,
  coalesce(array_position(current_schemas(false), n.nspname), {OFF_PATH}) as on_path, string_agg(a.attname, ',') as columns
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('r', 'v', 'm', 'f', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
group by 1, 2, 3, 4
"""
"""Every table and view, with the place of its schema on the search path. (`information_schema` hides what one may not read.)"""

SHOWN = re.compile(r"connection to server|could not translate host name")
"""What the client library says of a connection and may be shown; of an address it cannot read it repeats pieces."""


class Postgres:
    """A CDM in a PostgreSQL database: the schema that holds `person`, the first on the search path if several do."""

    def __init__(self, engine: DuckDB, source: Address) -> None:
        """Raises InputError: no connection, no CDM, or no right to read it. UsageError: the driver is not installed."""
        self.engine, self.source = engine, source
        try:
            from adbc_driver_manager import Error
            from adbc_driver_postgresql import dbapi
        except ImportError:
            raise UsageError(f"{source}: reading PostgreSQL needs: pip install 'tellapart[postgres]'") from None
        self.trouble: type[Exception] = Error
        try:
            self.connection = dbapi.connect(source.secret)
        except Error as error:
            raise InputError(f"{source}: no connection{_refused(str(error))}") from None
        self.asked = "the list of tables"
        try:
            engine.connection.execute(BAD)
            self._ask("set transaction isolation level repeatable read, read only")
            self._ask("set local datestyle to iso")
            self.names, self.columns = self._tables()
        except BaseException:
            self.close()
            raise
        self.places = {name: place.replace('"', "") for name, place in self.names.items()}

    def close(self) -> None:
        self.connection.close()

    def _tables(self) -> tuple[dict[str, str], dict[str, set[str]]]:
        """Tables of the CDM: to what to write after FROM, and to their columns."""
        self.take("omop_held", HELD)
        held = [r for r in self.engine.rows("select * from omop_held") if r["name"].lower() in NAMES]
        path = {r["place"]: r["on_path"] for r in held}
        homes = sorted(
            {r["place"] for r in held if r["name"].lower() == "person"}, key=lambda place: (path[place], place)
        )
        if len(homes) > 1 and path[homes[0]] == OFF_PATH:
            raise InputError(
                f"{self.source}: several schemas hold a table person ({', '.join(homes)}). Name one: end the address "
                f"with ?options=-csearch_path%3D{homes[0]}"
            )
        home = homes[0] if homes else ""
        held = [r for r in held if r["place"] == home or r["on_path"] != OFF_PATH]
        held.sort(key=lambda r: (r["place"] != home, r["on_path"]), reverse=True)  # of the same name the best is last
        found = {r["name"].lower(): r for r in held}
        if hidden := sorted(f"{r['place']}.{r['name']}" for r in found.values() if not r["may"]):
            raise InputError(
                f"{self.source}: no permission to read {', '.join(hidden)}. Ask for it: grant usage on schema {home} and "
                f"select on all tables in schema {home} to your user."
            )
        if missing := [name for name in EXPECTED if homes and name not in found]:
            raise InputError(
                f"{self.source}: schema {home} has no table {', '.join(missing)}. Expected OMOP CDM 5.4 (or 5.3), where a "
                "table that holds nothing is empty, not missing. Bring an older model to it, or add the table."
            )
        return (
            {name: f'"{r["place"]}"."{r["name"]}"' for name, r in found.items()},
            {name: {column.lower() for column in r["columns"].split(",")} for name, r in found.items()},
        )

    def table(self, name: str) -> str:
        self.asked = self.places[name]
        return self.names[name]

    def whole(self, column: str) -> str:
        return f"cast({column} as bigint)"

    def take(self, name: str, query: str) -> None:
        """Make temporary table `name` from a query of the server, in the order of all its columns."""
        run = self.engine.connection
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(query)
                run.register("incoming", cursor.fetch_record_batch())
                run.execute(f"create or replace temp table {name} as select * from incoming order by all")
        except (self.trouble, duckdb.Error) as error:
            raise self._gone(error) from None
        finally:
            run.unregister("incoming")

    def _ask(self, statement: str) -> None:
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(statement)
        except self.trouble as error:
            raise self._gone(error) from None

    def _gone(self, error: Any) -> Exception:
        """What to tell of a query that failed."""
        told = str(error)
        if isinstance(error, duckdb.OutOfMemoryException):
            return error
        server = re.search(r"(?:ERROR|FATAL): +([^\n]+)", told)
        if re.search(r"terminat|server closed|connection|no result|shutting down", told, re.IGNORECASE):
            return InputError(
                f"{self.source}: the server went away while {self.asked} was read"
                f"{f' ({server[1]})' if server else ''}. Nothing was written; run it again when the server is back."
            )
        reason = server[1] if server else told.split("\n", 1)[0]
        return InputError(
            f"{self.source}: {self.asked} cannot be read ({reason}). Compare its columns with those of OMOP CDM 5.4."
        )


def _refused(told: str) -> str:
    """Why there is no connection and what to do, from the words of the client library."""
    if not SHOWN.search(told):
        return ". The address cannot be understood: write postgresql://USER@SERVER:5432/DATABASE, special characters as % codes."
    reason = told.partition("Failed to connect: ")[2].split("\n", 1)[0].strip()
    if "password" in reason:
        advice = "Give the password in PGPASSWORD or ~/.pgpass, or in the address as USER:PASSWORD@SERVER."
    elif "does not exist" in reason:
        advice = "Check the name of the database and of the user."
    else:
        advice = "Check server and port, and that the server runs and lets this machine in."
    return f" ({reason}). {advice}"
