"""The named queries of `queries/`, whose `:parameters` aiosql reads and turns into asyncpg's $n.

Only its loader and the rewriting of its adapter are used. The functions that it makes of queries are typed as Any,
ignore arguments for which there is no parameter, and say of a missing one just `KeyError`; of two queries of one name
in a folder it loads the later one, in silence.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import TypeAlias

from aiosql.adapters.asyncpg import AsyncPGAdapter
from aiosql.query_loader import QueryLoader

BoundQuery: TypeAlias = tuple[str, *tuple[object, ...]]
"""A query's text and its arguments in order, as asyncpg takes them: `connection.fetch(*bound)`."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query: `text` has $n for the n-th of `parameters`, and is always the same, so that asyncpg prepares it once."""

    name: str
    text: str
    parameters: tuple[str, ...]
    doc: str

    def mismatch(self, arguments: dict[str, object]) -> TypeError:
        """Return what is wrong with arguments that are not just those of the parameters."""
        missing = [name for name in self.parameters if name not in arguments]
        unknown = [name for name in arguments if name not in self.parameters]
        wrong = [f"has no value for {', '.join(missing)}"] if missing else []
        wrong += [f"has no parameter {', '.join(unknown)}"] if unknown else []
        return TypeError(f"The query {self.name} {' and '.join(wrong)}.")


def load(name: str, text: str) -> list[Query]:
    """Read the queries of a file's text; `name` is the file's, for errors."""
    # One for each file: it adds up the parameters of all queries of one name.
    loader = QueryLoader(AsyncPGAdapter(), None, mandatory_parameters=False)  # type: ignore[no-untyped-call]
    queries = []
    for datum in loader.load_query_data_from_sql(text, [], name):
        # The first is `self`, of the function that aiosql would make.
        parameters = tuple(datum.signature.parameters)[1:] if datum.signature else ()
        queries.append(Query(datum.query_name, datum.sql.rstrip(";"), parameters, datum.doc_comments))
    return queries


def by_name(queries: Iterable[Query]) -> dict[str, Query]:
    """Return the queries by name. Raises ValueError where two have the same."""
    named: dict[str, Query] = {}
    for each in queries:
        if named.setdefault(each.name, each) is not each:
            raise ValueError(f"Two queries are called {each.name}.")
    return named


QUERIES = by_name(
    each
    for file in (files("appservice.store") / "queries").iterdir()
    for each in load(file.name, file.read_text(encoding="utf-8"))
)
"""Each query, by name."""


def query(name: str, /, **arguments: object) -> BoundQuery:
    """Return a query with its arguments. Raises TypeError for an unknown query, or if they are not its parameters."""
    found = QUERIES.get(name)
    if found is None:
        raise TypeError(f"There is no query {name}.")
    try:
        values = [arguments[parameter] for parameter in found.parameters]
    except KeyError:
        raise found.mismatch(arguments) from None
    if len(values) < len(arguments):
        raise found.mismatch(arguments)
    return found.text, *values
