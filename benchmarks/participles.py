"""Is a function named by a bare participle (`guarded`, `told`, `shown`)? Then a reader cannot tell what a call does.

A name is a bare participle if, without leading and trailing underscores, it is one word that

- ends in -ed, -en or -ing, unless an engineer reads the word first as an imperative, as an adjective or as the name of
  a thing (OTHER_WORDS: `embed`, `open`, `golden`, `setting`); or
- is an irregular participle (IRREGULAR: `kept`, `made`). Those that are spelt like their infinitive (`read`, `split`,
  `run`) or like a common noun or adjective (`bound`, `left`, `shot`) are not among them.

Magic methods (`__len__`) have their names from Python, and are never counted.
"""

IRREGULAR = frozenset(
    {
        *(
            "become",
            "begun",
            "bent",
            "blown",
            "borne",
            "bought",
            "brought",
            "built",
            "burnt",
            "caught",
            "crept",
            "dealt",
        ),
        *("done", "drawn", "dug", "fed", "felt", "flown", "fought", "found", "gone", "got", "grown", "had", "heard"),
        *("held", "hung", "kept", "known", "laid", "lain", "learnt", "led", "lent", "lost", "made", "meant", "met"),
        *("misled", "misunderstood", "outgrown", "overthrown", "paid", "rebuilt", "redone", "redrawn", "relearnt"),
        *("remade", "resent", "resold", "said", "sat", "seen", "sent", "shown", "shrunk", "slept", "sold", "sought"),
        *(
            "sown",
            "spelt",
            "spent",
            "spoilt",
            "spun",
            "stood",
            "struck",
            "stuck",
            "swept",
            "sworn",
            "taught",
            "thought",
        ),
        *("thrown", "told", "torn", "unbuilt", "understood", "undone", "unfound", "unheard", "unknown", "unlearnt"),
        *(
            "unmade",
            "unmet",
            "unpaid",
            "unread",
            "unsaid",
            "unseen",
            "unsent",
            "unsold",
            "unspent",
            "untaught",
            "untold",
        ),
        *("withdrawn", "withheld", "won", "worn"),
    }
)
OTHER_WORDS = frozenset(
    {
        # verbs, nouns and adjectives in -ed
        *("bed", "breed", "creed", "deed", "embed", "exceed", "feed", "heed", "indeed", "need", "proceed", "ragged"),
        *("red", "reed", "seed", "shed", "shred", "sled", "speed", "succeed"),
        # and in -en: most are verbs made of an adjective
        *("alien", "between", "broaden", "children", "citizen", "darken", "deepen", "even", "eleven", "flatten"),
        *(
            "garden",
            "golden",
            "happen",
            "harden",
            "kitchen",
            "len",
            "lengthen",
            "lessen",
            "lighten",
            "listen",
            "loosen",
        ),
        *("men", "often", "open", "pen", "reopen", "screen", "seven", "sharpen", "shorten", "soften", "straighten"),
        *("strengthen", "ten", "then", "thicken", "tighten", "token", "toughen", "when", "widen", "women", "worsen"),
        # and in -ing: most are things that engineers name so
        *(
            "anything",
            "binding",
            "bring",
            "building",
            "ceiling",
            "drawing",
            "during",
            "embedding",
            "encoding",
            "evening",
        ),
        *("everything", "finding", "hamming", "heading", "king", "listing", "mapping", "meaning", "morning", "nothing"),
        *("padding", "ping", "ranking", "rating", "ring", "setting", "sibling", "sing", "something", "spelling"),
        *("spring", "sting", "string", "substring", "swing", "thing", "warning", "wing", "wording"),
    }
)


def is_bare_participle(name: str) -> bool:
    """Whether a function's name is a participle and nothing else."""
    word = name.strip("_")
    if "_" in word or word in OTHER_WORDS or name.endswith("__"):
        return False
    return word in IRREGULAR or word.endswith(("ed", "en", "ing"))
