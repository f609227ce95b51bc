"""A household: several devices that share keys which the cloud never sees.

``ratchet`` is the chain of hourly keys, ``keyring`` hands them out, ``kept`` holds past ones as
long as anything under them may live, ``file`` keeps the membership on disk. ``pairing`` brings a
device in, ``generations`` puts one out.
"""
