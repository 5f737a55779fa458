"""Command lines that a drill names, and the secrets in them: `curl -H "Key: ${env:SBC_KEY}" https://192.0.2.9/reload`.

A line is words and no shell reads it. A secret stands in it by reference alone: its value is asked for at the moment
the command is started, and whatever the command says is cleared of it.
"""

import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

HIDDEN = "***"
"""What stands in place of a secret."""
COMMANDS = "a command such as 'ssh lab@192.0.2.9 reboot', or a list of its words"
SECRETS = "${env:NAME}, the name of an environment variable"

_REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_FOR_A_SHELL = re.compile(r"[|&;<>`]|\$\(")
_LONGEST = 4000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class CommandError(ValueError):
    """A command line that cannot be read; `allowed` says what could stand there."""

    def __init__(self, reason: str, allowed: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.allowed = allowed


class MissingSecretError(LookupError):
    """A secret that nobody has set; its text names the environment variable."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret by reference; it shows neither its value, which it does not hold, nor its name."""

    name: str
    """The environment variable."""

    def reveal(self, environment: Mapping[str, str]) -> str:
        """Return the value, for use at once; raises :class:`MissingSecretError` where it is unset or empty."""
        value = environment.get(self.name)
        if not value:
            raise MissingSecretError(f"the environment variable {self.name} is not set, or is empty")
        return value

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__


Word = tuple[str | Secret, ...]
"""One word of a command line: text and secrets that are joined without a space."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A program and its arguments."""

    words: tuple[Word, ...]

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The secrets in it, each once."""
        return tuple(dict.fromkeys(piece for word in self.words for piece in word if isinstance(piece, Secret)))

    def argv(self, environment: Mapping[str, str]) -> list[str]:
        """Return the words with their secrets, for use at once; raises :class:`MissingSecretError`."""
        return ["".join(_revealed(word, environment)) for word in self.words]

    def __str__(self) -> str:
        """Return the line as a person would type it into a shell that has the secrets in its environment."""
        return " ".join(map(_typed, self.words))


def cleared(text: str, values: Collection[str]) -> str:
    """Return text in which no secret is left; of secrets that lie in each other the longer goes first."""
    lines = {line for value in values for line in (value, *value.splitlines()) if line}
    for hidden in sorted(lines, key=len, reverse=True):
        text = text.replace(hidden, HIDDEN)
    return text


def parse_command(value: object) -> CommandLine:
    """Read text, which is split at spaces as a shell would, or a list of words; raises :class:`CommandError`."""
    if isinstance(value, CommandLine):
        return value
    if isinstance(value, str):
        words = _split(value)
    elif isinstance(value, list):
        words = [_word(each) for each in value]
    else:
        raise CommandError("not a command", COMMANDS)
    if not words or not words[0]:
        raise CommandError("no program is named", COMMANDS)
    if sum(map(len, words)) > _LONGEST:
        raise CommandError("too long", f"at most {_LONGEST} characters; a script can hold more")
    if any(_CONTROL.search(word) for word in words):
        raise CommandError("a control character is in the text", COMMANDS)
    return CommandLine(tuple(tuple(_pieces(word)) for word in words))


def _split(text: str) -> list[str]:
    try:
        words = shlex.split(text[: _LONGEST * 2])
        bare = shlex.split(text[: _LONGEST * 2], posix=False)  # keeps the quotes, and so tells what stood outside
    except ValueError as error:
        raise CommandError(f"the words cannot be told apart: {str(error).lower()}", COMMANDS) from None
    odd = next((found[0] for word in bare if word[0] not in "'\"" and (found := _FOR_A_SHELL.search(word))), None)
    if odd is not None:
        message = f"{odd!r} means something to a shell only, and none reads this"
        raise CommandError(message, "a list of words, a script, or quotes around what is meant as it stands")
    return words


def _word(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise CommandError("a word of a command is text; put it in quotes", COMMANDS)
    return str(value)


def _pieces(word: str) -> Iterator[str | Secret]:
    for index, piece in enumerate(_REFERENCE.split(word)):
        if index % 2:
            yield Secret(piece)
        elif "${" in piece:
            raise CommandError("'${' begins a secret, and this is none", SECRETS)
        elif piece:
            yield piece


def _revealed(word: Word, environment: Mapping[str, str]) -> Iterable[str]:
    return (piece.reveal(environment) if isinstance(piece, Secret) else piece for piece in word)


def _typed(word: Word) -> str:
    typed = (f'"${{{piece.name}}}"' if isinstance(piece, Secret) else shlex.quote(piece) for piece in word)
    return "".join(typed) or "''"
