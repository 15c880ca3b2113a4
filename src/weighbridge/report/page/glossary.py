"""The words that the report explains, as `docs/glossary.md` has them; a test keeps the two equal."""

from collections.abc import Mapping

GLOSSARY: Mapping[str, str] = {
    "strategy (arm)": "one way of answering: `prompt`, `few-shot`, `rag`, `fine-tuned`, `raft`",
    "RAG": "retrieval-augmented generation: the model sees passages that a search found",
    "fine-tuning": "training the model further on your examples",
    "`raft`": (
        "a model fine-tuned on the prompts that it will later see, passages included. It retrieves when it answers"
    ),
    "passage": "a chunk that a search returned, with its score",
    "evidence": "the documents, or places in them, that prove the answer of an example",
    "accuracy": "the share of questions that were answered right",
    "right": (
        "said of an answer that gives what a reference gives and contradicts nothing in it, however it is worded"
    ),
    "hallucination": "an answer that states something wrong",
    "abstention": "declining to answer: right if the question cannot be answered, needless if it can",
    "figure, estimate": (
        "a figure is something measured about a strategy. Its estimate is the value with a 95 % interval and the "
        "number of examples behind it"
    ),
    "comparison": "the paired difference of two strategies over the examples that both answered",
    "needs": "your limits (hard) and priorities (weights)",
    "decision": 'the recommended strategy, or none, or "not decisive", with the reasons and what would change it',
    "weighing": "one complete comparison of all strategies, as saved: what a report shows",
}
"""In the order of the page."""
