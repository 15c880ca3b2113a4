"""Makes training examples from the user's documents, by rules and by a model, and keeps those worth learning.

nouns.py           an example that was made, and the account of those that were dropped
tables.py          table cells, "label: value" lines and headings become questions
english.py         dates, prices and names as English writes them
unanswerable.py    questions that no document answers
rules.py           everything that needs no model
teacher.py         asks a model for questions, and reads its replies
cached_model.py    keeps the replies of a model
filters.py         drops examples that read badly, are not grounded, cannot be found, or are too many
repeats.py         drops examples that were asked before: by each other, in training or in the test
made_file.py       the file of made examples, and how they join the others
"""
