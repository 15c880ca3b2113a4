"""Does one step over many items: in this process, or on the machines of a Ray cluster, with the same results."""
