"""Vosk: a streaming recogniser, free and under a grammar made of a bias.

``engine.VoskRecogniser`` is the agent's ``Recogniser``. What contextual biasing builds on:

    model = VoskModel(folder)                     # model.py
    model.knows("bauer"), model.words()           # its vocabulary
    VoskRecogniser(folder, speller=speller)       # grammar.py: Speller spells phrases for it
    recogniser.decode(samples, ["call bower"])    # whole audio under any list of phrases
    recognition.free, recognition.context         # n-best of either graph, after finish()

Scores are Kaldi's log likelihood a 30 ms frame: they order hypotheses of one graph, and say
nothing across graphs.
"""
