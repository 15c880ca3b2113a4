"""Whether every exported form of an adapter answers like the trained one."""
