"""Who may change things on this server: everyone, or with ``GENLIB_READONLY=1`` only teachers.

::

    GENLIB_READONLY=1        visitors can't start, control, rename or delete runs, upload or
                             names folders; looking, dragging, drawing and ascents still work
    GENLIB_TEACHER=<secret>  whoever opens /?teacher=<secret> once may do all of it again

The server answers that address with a redirect without the secret (``genlib.ui.kit.guard``), so the
secret stays neither in the address bar nor in a page. What the browser keeps is a signed pass
in a cookie that scripts can't read. It lasts until the browser is closed, and at most PASS_HOURS;
another secret makes all passes void. Reloads and new tabs therefore keep the rights, a shared
computer loses them with its browser.
"""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec

import streamlit as st

from genlib.ui.kit.plain import plain

COOKIE = "genlib_teacher"
PASS_HOURS = 12
NOTE = (
    "This server is read-only: you can look at everything, but only a teacher can start or change "
    "runs and upload files."
)
_SAID = "rights.said"

P = ParamSpec("P")


def readonly() -> bool:
    """Whether ``GENLIB_READONLY`` is on; anything but a clear no counts as yes."""
    said = os.environ.get("GENLIB_READONLY", "").strip().lower()
    return said not in ("", "0", "off", "no", "false")


def is_secret(text: str) -> bool:
    """Whether this is the teachers' secret, in a time that says nothing about it."""
    return bool(_secret()) and hmac.compare_digest(text.encode("utf-8", "replace"), _secret())


def _secret() -> bytes:
    return os.environ.get("GENLIB_TEACHER", "").encode("utf-8", "replace")


def new_pass() -> str:
    """A pass for a browser whose user knows the secret: when it ends, signed."""
    ends = str(int(time.time() + 3600 * PASS_HOURS))
    return f"{ends}.{_signature(ends)}"


def is_pass(text: str) -> bool:
    """Whether this is a pass made with the present secret that hasn't ended."""
    ends, _, signature = text.partition(".")
    signed = hmac.compare_digest(signature.encode("utf-8", "replace"), _signature(ends).encode())
    return bool(_secret()) and signed and ends.isdecimal() and int(ends) > time.time()


def _signature(ends: str) -> str:
    message = f"genlib teacher {ends}".encode("utf-8", "replace")
    return hmac.new(_secret(), message, "sha256").hexdigest()


def allows(cookies: Mapping[str, str]) -> bool:
    """Whether a browser with these cookies may change things."""
    return not readonly() or is_pass(cookies.get(COOKIE, ""))


def may_change() -> bool:
    """Whether the visitor of this session may change things."""
    return not readonly() or is_pass(cookie(COOKIE))


def cookie(name: str) -> str:
    """A cookie of this session's browser; "" where there is none, or no browser at all."""
    value = st.context.cookies.get(name, "")
    return value if isinstance(value, str) else ""  # Streamlit's page tests answer with a stand-in


def note() -> None:
    """Say on the page why there are no buttons."""
    st.info(NOTE, icon=":material/lock:")


def needed(callback: Callable[P, None]) -> Callable[P, None]:
    """Make a callback do nothing for visitors who may not change things, and say so.

    Hiding a button isn't enough: a page may have been open before, and messages can be forged.
    """

    @wraps(callback)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        if may_change():
            callback(*args, **kwargs)
        else:
            say(NOTE)

    return guarded


def say(text: str) -> None:
    """Keep a sentence for the next drawing of a page: a callback in a fragment can't draw."""
    st.session_state[_SAID] = text


def show_what_was_said() -> None:
    """Show that sentence, once."""
    if text := st.session_state.pop(_SAID, ""):
        st.toast(plain(text), icon=":material/info:")


def who_may_what(address: str) -> str:
    """What the terminal says when the server can be reached from other machines."""
    can = "look, drag, draw and run ascents"
    change = "start, control, rename and delete runs, and upload pictures and checkpoints"
    lines = [f"genlib listens on {address}: everyone who can reach this machine can open it."]
    if not readonly():
        lines.append(f"  Everyone can {can}; {change}.")
        lines.append("  GENLIB_READONLY=1 allows visitors only to look, drag, draw and ascend.")
    else:
        lines.append(f"  Everyone can {can}.")
        who = "Whoever opens /?teacher=<GENLIB_TEACHER> once" if _secret() else "No one"
        lines.append(f"  {who} can {change}.")
        if not _secret():
            lines.append("  GENLIB_TEACHER=<secret> gives teachers these rights.")
    lines.append(f"  {_folders()}")
    lines.append("  Traffic isn't encrypted: put a proxy with HTTPS in front on an open network.")
    return "\n".join(lines)


def _folders() -> str:
    said = os.environ.get("GENLIB_FOLDERS", "").strip().lower()
    who = {"on": "Everyone who may upload", "off": "No one"}
    return f"{who.get(said, 'Only someone at this machine')} can name folders of the server."
