"""Common English words that stand between the things people ask for, and their cost in nats."""

from __future__ import annotations

FILLER_COST = 0.5
"""Little: the network's own scores already tell how well a word fits the audio."""

_WORDS = """a an the and with of to in on for from by as or but so then
my your our this that these those it its i i'd i'll i'm you we us me
can could may might would will should like want need get give make have take bring order
brew cook pour put add let's let please thanks thank hi hello hey um uh okay ok yes no
not without extra more less just also plus some any at is are do does
one two three only half here there now today hot cold show tell find go play set turn"""

COSTS = dict.fromkeys(_WORDS.split(), FILLER_COST)
