"""The cloud's side: the tables, a device's rights, and a look whether all is well."""
