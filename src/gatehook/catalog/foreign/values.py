"""Values of foreign files: what is a reference, what may be a secret, and what is plain enough to be written down.

No value that may be a secret is copied: the configuration then names an environment variable, and a note says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from typing import Final
from typing import NamedTuple

import attrs

from gatehook.catalog.foreign.servers import NotTakenOver
from gatehook.catalog.foreign.servers import Setting
from gatehook.config.passing import HEADER
from gatehook.config.passing import fault_of_passing
from gatehook.secrets import is_secret_name

#: ``${input:token}``, ``${env:NAME}``, ``${NAME}``, ``${NAME:-default}``, ``${user_config.key}``
_PLACEHOLDER: Final = re.compile(r"\$\{(?:(input|env):)?([^}:]+)(?::-[^}]*)?\}")
_SECRET_WORDS: Final = re.compile(
    r"key|auth|pass|pwd|cookie|session|bearer|cred|sid|secret|token|pin|signature", re.IGNORECASE
)
#: Plain enough to be no secret: a switch, a small number, one short word, a path, an address without a query.
_PLAIN: Final = re.compile(
    r"true|false|-?\d{1,5}|[A-Za-z][A-Za-z_-]{0,15}|(?:\.{0,2}|~)(?:/[\w. -]+)+/?|https?://[\w.-]+(?::\d+)?(?:/[\w.-]*)*",
    re.ASCII,
)
_ANYBODYS: Final = frozenset("ACCESS API APIKEY AUTH CLIENT KEY PASSWORD PRIVATE SECRET TOKEN USER".split())  # noqa: SIM905  words
_SCHEME: Final = re.compile(r"(Bearer|Basic|Token|ApiKey) (.+)", re.IGNORECASE | re.DOTALL)


@attrs.frozen(kw_only=True)
class Input:
    """Something that the file says is asked of a person."""

    description: str = ""
    secret: bool = True
    required: bool = True
    default: Any = None


class Placeholder(NamedTuple):
    """A value that stands for another: ``store`` is ``input``, ``env`` or ``user_config``."""

    store: str
    name: str


def placeholders_in(text: str) -> tuple[Placeholder, ...]:
    """Return everything in a text that stands for something else."""
    found = []
    for store, name in _PLACEHOLDER.findall(text):
        if name.startswith("user_config."):
            found.append(Placeholder("user_config", name.removeprefix("user_config.")))
        else:
            found.append(Placeholder(store or "env", name))
    return tuple(found)


def setting_of(
    place: str, text: str, keyword: str, inputs: Mapping[str, Input], server: str
) -> tuple[Setting, str | None]:
    """Return the property for one environment variable, header or query parameter, and a note where one is due.

    Raises:
        NotTakenOver: for a place that cannot be one, or two placeholders in a text.
    """
    place, text = _templated(place, text) if keyword == HEADER else (place, text)
    fault = fault_of_passing(keyword, place)
    if fault is not None:
        raise NotTakenOver(f"{place!r}: {fault}")
    name = _property_name(place.partition(":")[0])
    found = placeholders_in(text)
    if not found:
        return _literal(name, place, text, keyword, server)
    if len(found) > 1 or _PLACEHOLDER.sub("", text):
        variable = _variable(server, place)
        note = f"{place} is put together of several parts: set the environment variable {variable} to all of it"
        return Setting(name=name, keyword=keyword, place=place, value={"env": variable}), note
    return _referred(name, place, keyword, found[0], inputs, server)


def _templated(place: str, text: str) -> tuple[str, str]:
    """``Authorization: Bearer X`` is the header with a template, and X."""
    match = _SCHEME.fullmatch(text)
    return (f"{place}: {match[1]} {{}}", match[2]) if match else (place, text)


def _literal(name: str, place: str, text: str, keyword: str, server: str) -> tuple[Setting, str | None]:
    if not is_secret_name(place) and not _SECRET_WORDS.search(place) and _PLAIN.fullmatch(text):
        return Setting(name=name, keyword=keyword, place=place, value=text, secret=False, required=False), None
    variable = _variable(server, place)
    note = f"the value of {place} was not copied: set the environment variable {variable}"
    return Setting(name=name, keyword=keyword, place=place, value={"env": variable}), note


def _referred(
    name: str, place: str, keyword: str, found: Placeholder, inputs: Mapping[str, Input], server: str
) -> tuple[Setting, str | None]:
    asked = Input() if found.store == "env" else inputs.get(found.name)
    if asked is None:
        raise NotTakenOver(f"{place} stands for the input {found.name!r}, which the file does not describe")
    variable = found.name if found.store == "env" else _variable(server, found.name)
    plain = asked.default if not asked.secret and isinstance(asked.default, str | int | float | bool) else None
    setting = Setting(
        name=name if found.store == "env" else _property_name(found.name),
        keyword=keyword,
        place=place,
        value=str(plain) if plain is not None else {"env": variable} if asked.required else None,
        secret=asked.secret,
        description=asked.description,
        required=asked.required,
    )
    note = (
        f"{place} is asked for: set the environment variable {variable}" if setting.value == {"env": variable} else None
    )
    return setting, note


def baked(text: str, values: Mapping[str, str], inputs: Mapping[str, Input]) -> str:
    """Return an argument of a command with what stands for something else filled in.

    Raises:
        NotTakenOver: for a secret, which every user of the machine could read there; and for what is not given.
    """

    def fill(match: re.Match[str]) -> str:
        [found] = placeholders_in(match[0])
        asked = inputs.get(found.name)
        if found.store != "env" and asked is not None and asked.secret:
            raise NotTakenOver(
                f"{found.name} is a secret in the server's arguments, where every user of the machine can read it; "
                "give it to the server in an environment variable instead"
            )
        if found.name in values:
            return values[found.name]
        if asked is not None and isinstance(asked.default, str | int):
            return str(asked.default)
        raise NotTakenOver(f"its arguments have ${{{found.name}}}: repeat with --value {found.name}=…")

    filled = _PLACEHOLDER.sub(fill, text)
    name, _, rest = text.partition("=")
    if rest and not placeholders_in(text) and _SECRET_WORDS.search(name):
        raise NotTakenOver(
            f"the argument {name} seems to hold a secret, and every user of the machine can read arguments; "
            "give it to the server in an environment variable instead"
        )
    return filled


def _property_name(text: str) -> str:
    words = [one for one in re.split(r"[^A-Za-z0-9]+", text) if one]
    first, *rest = [one.lower() if one.isupper() else one[:1].lower() + one[1:] for one in words] or ["value"]
    return first + "".join(one[:1].upper() + one[1:] for one in rest)


def _variable(server: str, place: str) -> str:
    """Name the environment variable: as the place is called, where that says whose it is."""
    name = re.sub(r"[^A-Z0-9]+", "_", place.partition(":")[0].upper()).strip("_")
    if is_secret_name(name) and not _ANYBODYS.issuperset(name.split("_")):
        return name
    return f"{re.sub(r'[^A-Z0-9]+', '_', server.upper()).strip('_')}_{name}"
