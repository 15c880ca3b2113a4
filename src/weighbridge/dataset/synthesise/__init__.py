"""Training examples made from the user's documents: by rules, by a model, and what of them is good enough to learn.

made.py         the nouns: an example that was made, and how many were lost to what
english.py      words, verbs and values as English sentences use them
sentences.py    a sentence becomes a question whose answer stands in it
structured.py   so do table cells, "label: value" lines and headings
absent.py       questions that no document answers
rules.py        all that needs no model
asked.py        all that a model is asked for, and reading what it says
said.py         what a model said, kept
filters.py      which of them read well, are grounded and can be found
alike.py        which of them were asked before, by each other, in training or in the test
rows.py         the file they are kept in, and joining them to the examples
"""
