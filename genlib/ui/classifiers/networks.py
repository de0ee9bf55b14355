"""Which network to look through: our classifiers, or torchvision's with or without weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakValueDictionary

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlib import environment
from genlib.environment import LimitError, check_disk, runs_dir, uploads_dir
from genlib.explore.ascent import imagenet
from genlib.explore.ascent.lens import Lens, Network, lens
from genlib.explore.ascent.weights import WeightsError
from genlib.store.checkpoint import Info
from genlib.ui.kit import guard, loading, rights
from genlib.ui.kit.plain import plain

UNTRAINED = "-untrained"
# MB of weights above which a network with random ones is offered only next to its trained ones:
# making VGG-16 ready takes a gigabyte, too much of a server for noise that smaller ones show, too.
LARGE = 100


@dataclass(frozen=True)
class NetworkChoice:
    """One entry of the list. ``stamp`` changes with the file."""

    key: str
    title: str
    path: Path | None
    stamp: int
    info: Info | None = None


def choices() -> dict[str, NetworkChoice]:
    """Every network that can be looked through now, trained ones first."""
    ours = [
        NetworkChoice(i.name, i.name, i.path, i.mtime_ns, i)
        for i in loading.checkpoints("Classifies")
    ]
    there, bare = [], []
    for name, source in imagenet.SOURCES.items():
        if path := imagenet.find(name, kept_dir()):
            there.append(NetworkChoice(name, source.title, path, path.stat().st_mtime_ns))
        if path or source.size <= LARGE:
            bare.append(NetworkChoice(name + UNTRAINED, f"{source.title} untrained", None, 0))
    return {c.key: c for c in (*ours, *there, *bare)}


def kept_dir() -> Path:
    """Where weights given on a page are kept."""
    return uploads_dir() / "imagenet"


# Which network stands next to which at first: the same one, trained the other way.
PARTNERS = {
    "classifier": "classifier-robust",
    "classifier-robust": "classifier",
    "classifier-cifar": "classifier-cifar-robust",
    "classifier-cifar-robust": "classifier-cifar",
}
NOTHING = "nothing"


def pick_partner(key: str, first: str) -> dict[str, Lens]:
    """Let the person pick a second network for the same pictures: its key and lens, or nothing."""
    found = choices()
    kind = _kind(found[first])
    able = [k for k, c in found.items() if k != first and kind is not None and _kind(c) == kind]
    if st.session_state.get(key) not in (None, NOTHING, *able):
        del st.session_state[key]  # of another network
    names = [NOTHING, *able]
    partner = PARTNERS.get(first, NOTHING)
    chosen = st.selectbox(
        "Next to it",
        names,
        index=names.index(partner) if partner in names else 0,
        format_func=lambda k: found[k].title if k in found else k,
        key=key,
        bind="query-params",
        disabled=not able,
        help="Another network under the same ascent: same start, same steps."
        if able
        else "No other network takes pictures of this kind.",
    )
    return {chosen: _lens(found[chosen])} if chosen in able else {}


def _kind(choice: NetworkChoice) -> tuple[object, ...] | None:
    """What the pictures and classes of one of ours are; None for torchvision's, which are large."""
    if choice.info is None:
        return None
    config = choice.info.config
    return (*(config.get(k) for k in ("channels", "image_size")), *loading.class_names(choice.info))


def pick_network(key: str, default: str = "", help: str = "") -> tuple[str, Lens]:
    """Let the person pick; returns the choice's key and the lens. Stops the page on a bad file."""
    found = choices()
    chosen = st.selectbox(
        "Network",
        list(found),
        index=list(found).index(default) if default in found else 0,
        format_func=lambda k: found[k].title,
        key=key,
        bind="query-params",
        help=help or "Our own classifiers, and torchvision's where their weights are here.",
    )
    choice = found.get(chosen) or next(iter(found.values()))
    try:
        made = _lens(choice)
    except WeightsError as problem:
        st.error(plain(str(problem)), icon=":material/error:")
        st.stop()
    if not made.network.trained:
        st.caption(
            ":material/casino: **Random weights**: it has learned nothing. What appears is "
            "its architecture's taste, not an object."
        )
    return choice.key, made


def lens_of(name: str) -> Lens:
    """The lens of a checkpoint by its name, as the pages look through it."""
    return _lens(choices()[name])


def _lens(choice: NetworkChoice) -> Lens:
    if choice.info is not None:
        names = loading.class_names(choice.info)
        return _ours(choice.info, names, environment.precision())
    name = choice.key.removesuffix(UNTRAINED)
    return _imagenet(name, str(choice.path or ""), choice.stamp, environment.precision())


# ``precision`` is only there to keep lenses of different formats apart.
@st.cache_resource(max_entries=8, show_spinner="Loading the network …", hash_funcs=loading.BY_FILE)
def _ours(info: Info, classes: tuple[str, ...], precision: str) -> Lens:
    from genlib.devices import device

    model = loading.model(info)
    shape = model.config.shape
    # Digits are strokes on black; photographs have as much above their middle grey as below.
    base = (0.5,) * shape[0] if shape[0] == 3 else ()
    network = Network(
        info.path.stem, info.name, model, classes, shape, smallest=12, base=base, stamp=info.stamp
    )
    return lens(network, device(), batch=len(classes))


# One: VGG-16 takes half a gigabyte in float32.
@st.cache_resource(max_entries=1, show_spinner="Loading the network …")
def _imagenet(name: str, path: str, stamp: int, precision: str) -> Lens:
    from genlib.devices import device

    key = (name, path, stamp, precision)
    if (found := _in_use.get(key)) is None:
        network = imagenet.load(name, Path(path)) if path else imagenet.untrained(name)
        network = replace(network, stamp=f"{path}:{stamp}")
        found = _in_use[key] = lens(network, device())
    return found


# Those that some session's ascent looks through, whether or not they are the last one: a
# session that comes back to one shares it instead of loading it a second time.
_in_use: WeakValueDictionary[tuple[str, str, int, str], Lens] = WeakValueDictionary()


def weights_panel(key: str) -> None:
    """Get ImageNet weights: what is here, download, or give a file."""
    missing = [n for n in imagenet.SOURCES if imagenet.find(n, kept_dir()) is None]
    with st.expander("ImageNet weights", icon=":material/download:"):
        _tell(missing)
        if not missing or not rights.may_change():
            return
        name = st.selectbox(
            "Network to get",
            missing,
            format_func=lambda n: (
                f"{imagenet.SOURCES[n].title} ({imagenet.SOURCES[n].size:.0f} MB)"
            ),
            key=f"{key}.get",
        )
        if st.button("Download", icon=":material/download:", key=f"{key}.download"):
            _download(name)
        # A fresh key after each accepted file: else it would be checked against the next network.
        turn = f"{key}.weights.{len(missing)}"
        source, limit = imagenet.SOURCES[name], imagenet.MAX_UPLOAD // 1_000_000
        too_large = source.size > limit
        given = st.file_uploader(
            "Or give the weights as a file",
            type=["safetensors"],
            key=turn,
            max_upload_size=limit,
            disabled=too_large,
            help="The network's state dict, saved with safetensors.torch.save_file.",
        )
        if too_large:
            st.caption(
                f"{source.title}'s {source.size:.0f} MB are more than the {limit} MB that a page "
                f"takes: put {source.file} where `$GENLIB_WEIGHTS` points, or press Download."
            )
        elif given is not None:
            _keep(name, given.getvalue(), turn)


def _tell(missing: Sequence[str]) -> None:
    here = [s.title for n, s in imagenet.SOURCES.items() if n not in missing]
    st.markdown(
        (f"On this computer: {', '.join(here)}. " if here else "None is on this computer yet. ")
        + "They are looked for in `$GENLIB_WEIGHTS` and in torch's own cache."
    )


def _download(name: str) -> None:
    bar = st.progress(0.0, f"Downloading {imagenet.SOURCES[name].title} …")
    try:
        imagenet.download(name, lambda share: _move(bar, share))
    except WeightsError as problem:
        bar.empty()
        st.error(plain(str(problem)), icon=":material/cloud_off:")
        return
    st.rerun()


def _move(bar: DeltaGenerator, share: float) -> None:
    bar.progress(share)


def _keep(name: str, data: bytes, key: str) -> None:
    try:
        check_disk(runs_dir(), len(data))
        imagenet.keep(name, data, kept_dir())
    except (WeightsError, LimitError) as problem:
        st.error(plain(str(problem)), icon=":material/error:")
        return
    guard.forget_upload(key)
    st.rerun()
