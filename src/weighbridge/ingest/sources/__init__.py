"""Documents that are in no file: the rows of a database, the items of an endpoint."""
