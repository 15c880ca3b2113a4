"""Are our static vectors worth their code beside model2vec?

Prints nDCG@10 of exact search and the processor time of embedding all documents, for: our vectors, learnt from a
quarter of the documents; the same vectors in model2vec's `StaticModel`; a model that model2vec distils itself.

Run: python benchmarks/static_vectors.py FOLDER --model FOLDER

FOLDER is a collection in BEIR's layout. Install `model2vec` and `skeletoken` without their dependencies first: their
upper bound on transformers is below the release that Weighbridge needs.
"""

import argparse
import tempfile
from pathlib import Path
from time import process_time

import numpy as np
from model2vec import StaticModel
from model2vec.distill import distill_from_model
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer

from weighbridge.dataset.beir import BeirCollection, read_beir
from weighbridge.evaluate.ranking import ndcg
from weighbridge.retrieve.embed.local import open_embedder
from weighbridge.retrieve.embed.static import learn_static


def mean_ndcg(
    collection: BeirCollection, ids: list[str], documents: NDArray[np.float32], queries: NDArray[np.float32]
) -> float:
    """Return the mean nDCG@10 of exact search."""
    total = 0.0
    for name, scores in zip(collection.queries, queries @ documents.T, strict=True):
        best = np.argsort(-scores, kind="stable")[:10]
        total += ndcg([ids[place] for place in best], collection.relevance[name])
    return total / len(collection.queries)


def main() -> None:
    """Learn, distil, embed, search, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    asked = parser.parse_args()
    collection, embedder = read_beir(asked.folder), open_embedder(asked.model)
    documents = [document for document in collection.documents if document.text.strip()]
    ids = [document.id for document in documents]
    texts = [f"{document.title}\n{document.text}" for document in documents]
    questions = list(collection.queries.values())
    exact = embedder.embed(questions, kind="query")

    with tempfile.TemporaryDirectory() as folder:
        start = process_time()
        file = Path(folder) / "vectors.npz"
        ours = learn_static(embedder, texts[::4], file)
        print(f"ours learnt from {len(texts[::4])} documents in {process_time() - start:.1f} s")
        stored = np.load(file)
        vectors = stored["vectors"].astype(np.float32) * stored["weights"][:, None]
        start = process_time()
        found = ours.embed(texts, kind="document")
        print(f"ours: {process_time() - start:.2f} s, nDCG@10 {mean_ndcg(collection, ids, found, exact):.3f}")

    tokenizer = Tokenizer.from_file(str(asked.model / "tokenizer.json"))
    theirs = StaticModel(vectors=vectors, tokenizer=tokenizer, normalize=True)
    start = process_time()
    same = theirs.encode(texts, max_length=254)
    cosine = (found * same).sum(1)
    print(f"our vectors in model2vec: {process_time() - start:.2f} s, cosine to ours {cosine.mean():.6f} on average")

    start = process_time()
    distilled = distill_from_model(AutoModel.from_pretrained(asked.model), AutoTokenizer.from_pretrained(asked.model))
    print(f"model2vec distilled in {process_time() - start:.1f} s")
    score = mean_ndcg(collection, ids, distilled.encode(texts), distilled.encode(questions))
    print(f"model2vec, questions in its own space too: nDCG@10 {score:.3f}")


if __name__ == "__main__":
    main()
