"""Where only the upper blocks learn, what the lower ones compute is the same in every epoch: it is computed once.

The hidden states at the border are kept in `lower.bin`, memory-mapped, in the type the network hands them on in;
`lower.json` is written last. The upper blocks then read them in place of embeddings.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from weighbridge.protocols import Notify
from weighbridge.train.data.tokens import Encoded
from weighbridge.train.supervised.methods import Recipient, blocks_of, inputs_of, plain_of
from weighbridge.train.supervised.prefix_packing import Row, pack
from weighbridge.types import Progress
from weighbridge.workspace import read_json, write_json

_STATES, _RECORD = "lower.bin", "lower.json"
_TOLERANCE = 0.05
"""Root mean square of what rounding may change in the logits, as a share of theirs."""


def keep_lower(
    recipient: Recipient, encoded: Sequence[Encoded], folder: Path, *, layers: int, key: str, notify: Notify
) -> Recipient:
    """Return a recipient whose rows begin at the border below its upper `layers` blocks.

    What lies in the folder is used where it was made under the same key. The recipient is returned as it is where
    there is nothing below the border, and where the blocks of this architecture cannot be begun in the middle, which
    is tried out.
    """
    border = len(blocks_of(recipient.network)) - layers
    if border == 0:
        return recipient
    rows = pack(encoded)
    if read_json(folder / _RECORD) != {"key": key}:
        drop_lower(folder)
        _compute(recipient, rows, border, folder, notify)
        write_json(folder / _RECORD, {"key": key})
    places = _places(encoded, rows)
    states = _mapped(recipient, folder, tokens=sum(len(row.tokens) for row in rows))

    def read_upper(network: Any, row: Row) -> Any:
        import torch

        inputs = inputs_of(network, row)
        inputs.pop("input_ids")
        wanted = [places[owner][at] for owner, at in zip(row.owners.tolist(), row.positions.tolist(), strict=True)]
        hidden = states[torch.tensor(wanted)].to(network.device)[None]
        with _only(network, blocks_of(network)[border:]):
            return plain_of(network)(inputs_embeds=hidden, **inputs, use_cache=False).logits[0]

    upper = replace(recipient, read=read_upper)
    if _agree(recipient, upper, rows[0]):
        return upper
    drop_lower(folder)
    return recipient


def drop_lower(folder: Path) -> None:
    """Remove what `keep_lower` left; its record first."""
    (folder / _RECORD).unlink(missing_ok=True)
    (folder / _STATES).unlink(missing_ok=True)


@contextmanager
def _only(network: Any, blocks: Any) -> Iterator[None]:
    """Let the network consist of some of its blocks for a while."""
    decoder = plain_of(network).get_decoder()
    whole = decoder.layers
    decoder.layers = blocks
    try:
        yield
    finally:
        decoder.layers = whole


def _compute(recipient: Recipient, rows: Sequence[Row], border: int, folder: Path, notify: Notify) -> None:
    """Write what the lower blocks make of every token of the rows, one after another."""
    import torch

    network, kind = recipient.network, recipient.precision
    decoder = plain_of(network).get_decoder()
    last = decoder.norm
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _STATES).open("wb") as file, _only(network, blocks_of(network)[:border]), torch.no_grad():
        decoder.norm = torch.nn.Identity()
        try:
            for number, row in enumerate(rows, start=1):
                inputs = inputs_of(network, row)
                inputs.pop("logits_to_keep")
                with torch.autocast(network.device.type, dtype=kind, enabled=kind == torch.bfloat16):
                    states = decoder(**inputs, use_cache=False).last_hidden_state[0]
                file.write(states.to(_kept_as(recipient)).cpu().contiguous().view(torch.uint8).numpy().tobytes())
                notify(Progress(task="computing the lower blocks", done=number, total=len(rows), unit="rows"))
        finally:
            decoder.norm = last


def _kept_as(recipient: Recipient) -> Any:
    """Return the torch type of hidden states: that of the embeddings, which every block adds to."""
    return recipient.network.get_input_embeddings().weight.dtype


def _mapped(recipient: Recipient, folder: Path, *, tokens: int) -> Any:
    """Return the states as a tensor on the disk, shape (tokens, width)."""
    import torch

    width = recipient.network.get_input_embeddings().weight.shape[1]
    size = tokens * width
    flat = torch.from_file(str(folder / _STATES), shared=False, size=size, dtype=_kept_as(recipient))
    return flat.view(tokens, width)


def _places(encoded: Sequence[Encoded], rows: Sequence[Row]) -> list[list[int]]:
    """Return where the states of every token of every example lie."""
    import numpy as np

    found: dict[tuple[int, ...], list[int]] = {}
    before = 0
    for row in rows:
        for owner in set(row.owners.tolist()):
            last = int(np.flatnonzero(row.owners == owner)[-1])
            found[encoded[owner].tokens] = [before + int(place) for place in np.flatnonzero(row.sees[last])]
        before += len(row.tokens)
    return [found[one.tokens] for one in encoded]


def _agree(whole: Recipient, upper: Recipient, row: Row) -> bool:
    """Tell whether reading from the border gives the logits that reading from the bottom gives."""
    import torch

    kind = whole.precision
    with torch.no_grad(), torch.autocast(whole.network.device.type, dtype=kind, enabled=kind == torch.bfloat16):
        wanted, found = whole.read(whole.network, row).float(), upper.read(whole.network, row).float()
    return bool((wanted - found).square().mean() <= _TOLERANCE**2 * wanted.square().mean())
