"""The prior: published advice on RAG and fine-tuning, scored for a situation before anything is measured."""
