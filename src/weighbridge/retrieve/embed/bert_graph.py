"""Builds a BERT encoder as an OpenVINO graph from its weights: without torch, conversion or files.

The products named in `scales` multiply 8-bit integers: the input is divided by its scales, channel by channel, and
rounded to 256 steps of [-1, 1). The weights are multiplied by the scales and rounded to 255 steps per output channel.
 Attention, GELU and the layer norms stay in floats.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from weighbridge.retrieve.embed.folder import Bert

if TYPE_CHECKING:
    from numpy.typing import NDArray

End = Literal["mean", "cls", "states", "inputs"]
"""The output of a graph: a text's unit vector, by the mean or by the first token; its tokens' unit vectors; or the
inputs of all products."""
Scales = Mapping[str, "NDArray[np.float32]"]
"""By the name of a product's input: one positive number for each of its channels."""

INPUTS = ("attention", "mix", "widen", "narrow")
"""The inputs of a layer's products; layer 3's are named `3.attention` and so on."""
_PRODUCTS = {
    "attention": ("attention.self.query", "attention.self.key", "attention.self.value"),
    "mix": ("attention.output.dense",),
    "widen": ("intermediate.dense",),
    "narrow": ("output.dense",),
}
_MASKED = -30000.0
"""Added to the attention scores of padding, so that softmax gives it 0; bfloat16 can hold this number."""


def bert_weights(bert: Bert, name: str) -> "NDArray[np.float32]":
    """Return the weights that multiply an input, a row for each output channel."""
    layer, kind = name.split(".")
    return np.concatenate([bert.weights[f"encoder.layer.{layer}.{part}.weight"] for part in _PRODUCTS[kind]])


def quantise(weights: "NDArray[np.float32]") -> "tuple[NDArray[np.int8], NDArray[np.float32]]":
    """Return weights as integers in [-127, 127], and the factor of each row."""
    steps = np.maximum(np.abs(weights).max(1, keepdims=True), np.float32(1e-12)) / 127
    return np.rint(weights / steps).astype(np.int8), steps


def build_graph(bert: Bert, scales: Scales, end: End) -> Any:
    """Return an `openvino.Model` of two inputs of shape (texts, tokens): token numbers, int32, and mask, float32."""
    import openvino
    from openvino import opset15 as op

    draft = _Draft(bert, scales)
    ids, mask = op.parameter([-1, -1], np.int32, name="ids"), op.parameter([-1, -1], np.float32, name="mask")
    hidden = draft.multiply(op.subtract(mask, draft.number(1.0)), draft.number(-_MASKED))
    hidden = op.unsqueeze(hidden, op.constant(np.array([1, 2])))
    states = draft.embed(ids)
    for layer in range(bert.layers):
        states = draft.layer(states, hidden, f"encoder.layer.{layer}.", str(layer))
    ends = {"mean": draft.mean, "cls": draft.first, "states": draft.unit, "inputs": draft.inputs}
    return openvino.Model([op.result(node) for node in ends[end](states, mask)], [ids, mask], "bert")


@dataclass(frozen=True, slots=True)
class _Draft:
    """Builds the nodes of one graph. `seen` gathers the inputs of the products, in order."""

    bert: Bert
    scales: Scales
    seen: list[Any] = field(default_factory=list)

    def number(self, value: Any) -> Any:
        from openvino import opset15 as op

        # Shared: the graph keeps the array alive, and the words of a multilingual model are 384 MB.
        return op.constant(np.ascontiguousarray(value, np.float32), shared_memory=True)

    def multiply(self, left: Any, right: Any) -> Any:
        from openvino import opset15 as op

        return op.multiply(left, right)

    def weight(self, name: str) -> Any:
        return self.number(self.bert.weights[name])

    def embed(self, ids: Any) -> Any:
        from openvino import opset15 as op

        weights, axis = self.bert.weights, op.constant(np.array(0))
        positions = weights["embeddings.position_embeddings.weight"]
        positions = positions + weights["embeddings.token_type_embeddings.weight"][0]
        length = op.gather(op.shape_of(ids, "i64"), op.constant(np.array([1])), axis)
        first, step = op.constant(np.array([0])), op.constant(np.array([1]))
        positions = positions[self.bert.first_position :]
        here = op.slice(self.number(positions), first, length, step, op.constant(np.array([0])))
        words = op.gather(self.weight("embeddings.word_embeddings.weight"), ids, axis)
        return self.norm(op.add(words, here), "embeddings.LayerNorm")

    def layer(self, states: Any, hidden: Any, prefix: str, number: str) -> Any:
        from openvino import opset15 as op

        parts = self.product(states, prefix, f"{number}.attention")
        query, key, value = (self.heads(part) for part in parts)
        mixed = op.scaled_dot_product_attention(query, key, value, hidden)
        mixed = op.transpose(mixed, op.constant(np.array([0, 2, 1, 3])))
        mixed = op.reshape(mixed, op.constant(np.array([0, 0, -1])), special_zero=True)
        (mixed,) = self.product(mixed, prefix, f"{number}.mix")
        states = self.norm(op.add(mixed, states), f"{prefix}attention.output.LayerNorm")
        (wide,) = self.product(states, prefix, f"{number}.widen")
        (narrow,) = self.product(op.gelu(wide, "erf"), prefix, f"{number}.narrow")
        return self.norm(op.add(narrow, states), f"{prefix}output.LayerNorm")

    def product(self, states: Any, prefix: str, name: str) -> Sequence[Any]:
        """Return input times weights plus bias, for each of the products that share the input."""
        from openvino import opset15 as op

        self.seen.append(states)
        scales = self.scales.get(name)
        if scales is not None:
            low, high = self.number(-1.0), self.number(127 / 128)
            states = op.fake_quantize(self.multiply(states, self.number(1 / scales)), low, high, low, high, 256)
        found = []
        for part in _PRODUCTS[name.split(".")[1]]:
            weights = self.bert.weights[f"{prefix}{part}.weight"]
            node = self.number(weights) if scales is None else self.whole(weights * scales)
            found.append(op.add(op.matmul(states, node, False, True), self.weight(f"{prefix}{part}.bias")))  # noqa: FBT003 - positional in the library
        return found

    def whole(self, weights: "NDArray[np.float32]") -> Any:
        from openvino import opset15 as op

        numbers, steps = quantise(weights)
        return self.multiply(op.convert(op.constant(numbers), "f32"), self.number(steps))

    def heads(self, states: Any) -> Any:
        from openvino import opset15 as op

        size = len(self.bert.weights["embeddings.LayerNorm.bias"]) // self.bert.heads
        split = op.reshape(states, op.constant(np.array([0, 0, self.bert.heads, size])), special_zero=True)
        return op.transpose(split, op.constant(np.array([0, 2, 1, 3])))

    def norm(self, states: Any, name: str) -> Any:
        from openvino import opset15 as op

        even = op.mvn(states, op.constant(np.array([-1])), True, self.bert.epsilon, "inside_sqrt")  # noqa: FBT003 - positional in the library
        return op.add(self.multiply(even, self.weight(f"{name}.weight")), self.weight(f"{name}.bias"))

    def mean(self, states: Any, mask: Any) -> Sequence[Any]:
        from openvino import opset15 as op

        sums = op.matmul(op.unsqueeze(mask, op.constant(np.array(1))), states, False, False)  # noqa: FBT003 - positional in the library
        return self.unit(op.squeeze(sums, op.constant(np.array([1]))), mask)

    def first(self, states: Any, mask: Any) -> Sequence[Any]:
        from openvino import opset15 as op

        return self.unit(op.gather(states, op.constant(np.array(0)), op.constant(np.array(1))), mask)

    def unit(self, states: Any, mask: Any) -> Sequence[Any]:
        from openvino import opset15 as op

        return [op.normalize_l2(states, op.constant(np.array([-1])), 1e-24, "add")]

    def inputs(self, states: Any, mask: Any) -> Sequence[Any]:
        return self.seen
