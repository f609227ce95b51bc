"""The conversation itself: wake word, listening, answering, speaking, follow-up.

Knows every part by its protocol only; ``agent.app`` puts the real engines in. Runs on one event
loop, on the microphone's sample clock; whatever is slow runs on a worker thread while frames queue
up in the microphone, so that none is lost.
"""
