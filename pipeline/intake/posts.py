"""Who watches which root at this moment: roots come and go while the program runs.

Empty where nothing is watched, as in a command that only changes something; then what is asked of
it answers False, and the next start of the watch takes it up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pipeline.model import Root


@dataclass(frozen=True, slots=True)
class Post:
    """One watcher at work: `look` makes it sweep the whole root soon, `stop` ends it."""

    look: Callable[[], object]
    stop: Callable[[], object]


class Posts:
    """The watchers that are at work, by root."""

    def __init__(self) -> None:
        self._begin: Callable[[Root], Post] | None = None
        self._posts: dict[str, Post] = {}

    @contextmanager
    def manned(self, begin: Callable[[Root], Post]) -> Iterator[None]:
        """For the length of a block `begin` is how a root comes to be watched."""
        self._begin = begin
        try:
            yield
        finally:
            self._begin = None
            self._posts.clear()

    def begin(self, root: Root) -> bool:
        """Watch a root from now on, in place of whoever watched it; False where nothing is."""
        if self._begin is None:
            return False
        self.end(root.id)
        self._posts[root.id] = self._begin(root)
        return True

    def end(self, root_id: str) -> None:
        """Watch a root no more; what is under way for it is dropped and found again later."""
        post = self._posts.pop(root_id, None)
        if post is not None:
            post.stop()

    def look(self, root_id: str) -> bool:
        """Have a root swept soon; False where nobody watches it."""
        post = self._posts.get(root_id)
        if post is not None:
            post.look()
        return post is not None
