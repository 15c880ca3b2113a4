"""weighbridge.yaml as typed settings: the schema, the sources of documents, the file and its comments."""
