"""voice-agent: a private voice assistant that recognises the answer to its own question."""

__version__ = "0.1.0"
