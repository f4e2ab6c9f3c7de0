"""Renders the `.sql` files of the rooms: plain SQL with a few named macros whose values come from the knowledge base.

The macros exist because a state is a bit in one of several words: `each` repeats an expression for every word,
`each_word` adds bits to words, `test`/`any_of` read a finding's bit. Nothing here decides anything clinical; numbers
that do (bits, thresholds) are read from the knowledge tables when a statement is rendered.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from tellapart.knowledge.encode import EVERYWHERE, GRID, NO_NUMBER, Encoding, encode, named_methods
from tellapart.knowledge.load import Knowledge

ROOMS = Path(__file__).parent.parent


def render(knowledge: Knowledge, file: str, extra: Mapping[str, Any]) -> str:
    """The SQL text of `file` (path inside the package) for this knowledge base.

    Args:
        extra: what the room that owns the file compiled for it.

    Raises:
        jinja2.UndefinedError: the file names something that nobody supplies.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOMS), undefined=jinja2.StrictUndefined, autoescape=False
    )
    environment.globals.update({**_common(knowledge, encode(knowledge)), **extra})
    return environment.get_template(file).render().strip()


def _common(knowledge: Knowledge, enc: Encoding) -> dict[str, Any]:
    def each(text: str, **by_word: Mapping[int, int]) -> str:
        """`text` once per word, `#` being its number and `{name}` that word of `by_word[name]`."""
        out = []
        for word in range(1, enc.words + 1):
            piece = text.replace("#", str(word))
            for name, values in by_word.items():
                piece = piece.replace("{" + name + "}", str(values.get(word, 0)))
            out.append(piece)
        return ", ".join(out)

    def each_word(additions: Mapping[int, str], column: str) -> str:
        """Every word of `column` (`p#`), with the bits of `additions` (SQL by word) added."""
        return ", ".join(
            f"{name} | {additions[word]} as {name}" if word in additions else name
            for word in range(1, enc.words + 1)
            for name in [column.replace("#", str(word))]
        )

    def only_word(additions: Mapping[int, str], column: str) -> str:
        """As `each_word`, starting from nothing."""
        return ", ".join(
            f"{additions.get(word, 'cast(0 as bigint)')} as {column.replace('#', str(word))}"
            for word in range(1, enc.words + 1)
        )

    return {
        "each": each,
        "each_word": each_word,
        "only_word": only_word,
        "real_words": max(w for f, (w, _) in enc.place.items() if ":" not in f),
        "grid": repr(GRID),
        "everywhere": repr(EVERYWHERE),
        "no_number": repr(NO_NUMBER),
        "methods": ", ".join(f"'{m}'" for m in named_methods(knowledge)),
        "limit": lambda name: f"{knowledge.limit(name):g}",
        "test": enc.test,
        "any_of": enc.any_of,
    }
