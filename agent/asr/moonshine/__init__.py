"""Moonshine tiny (English) by plain onnxruntime: encoder, decoder, search and forced scoring.

Two levels. ``engine.MoonshineRecogniser`` is the agent's ``Recogniser``. Under it lies what
contextual biasing builds on, all on one ``Encoded`` window of speech:

    model = Model(folder)                         # model.py: sessions, 1 thread, no arena
    encoded = model.encode(samples)               # int16[n] -> Encoded, up to WINDOW_SECONDS
    decoded = search.greedy(model, encoded)       # search.py -> Decoded
    nbest = search.beam(model, encoded, 5, hook)  # best first; hook: a ``Bonus`` or None
    scores = scoring.score(model, encoded, texts) # scoring.py -> list[TextScore]
    model.tokens.encode("Meg Bauer."), .decode(ids)

Architecture: Jeffries et al., "Moonshine: Speech Recognition for Live Transcription and Voice
Commands", 2024 (arXiv 2410.15608).
"""
